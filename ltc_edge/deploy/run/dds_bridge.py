"""``dds://TOPIC``: readings on ``TOPIC_readings``, actions on ``TOPIC_action``, with types of their own.

?domain=0          of DDS
&interface=eth0    the network interface that is used, alone; without it, loopback
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from ltc_edge.deploy.ros.over_dds import LOOPBACK, open_domain
from ltc_edge.deploy.run.bridge import Deliver
from ltc_edge.deploy.run.datagrams import ARM, DISARM, TO_SHADOW, Action, Readings
from ltc_edge.deploy.run.urls import IoUrl
from ltc_edge.errors import InputError, require

_TOPIC = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,99}")
_LAST_DOMAIN = 232
_DRAIN = 64
_REQUESTS = ARM | DISARM | TO_SHADOW


def dds_types() -> tuple[Any, Any]:
    """The types of readings and of actions.

    Raises:
        MissingExtraError: cyclonedds is not installed.
    """
    require("cyclonedds", "dds")
    from ltc_edge.deploy.run.dds_types import LtcEdgeAction, LtcEdgeReadings

    return LtcEdgeReadings, LtcEdgeAction


class DdsBridge:
    """A participant of a domain; see `Bridge`.

    Args:
        url: what the user said.
        observations: of the controller.

    Raises:
        InputError: the topic, domain or interface cannot be used.
        MissingExtraError: cyclonedds is not installed.
    """

    def __init__(self, url: IoUrl, observations: int) -> None:
        readings_type, action_type = dds_types()
        from cyclonedds.core import DDSException
        from cyclonedds.domain import DomainParticipant
        from cyclonedds.pub import DataWriter
        from cyclonedds.topic import Topic

        url.only("domain", "interface")
        domain = url.options.get("domain", "0")
        if not _TOPIC.fullmatch(url.place):
            raise InputError(f"--io: {url.place[:80]!r} is no topic: letters, digits and _")
        if not (domain.isascii() and domain.isdigit() and int(domain) <= _LAST_DOMAIN):
            raise InputError(f"--io: {domain[:20]!r} is no domain, 0 to {_LAST_DOMAIN}")
        open_domain(int(domain), url.options.get("interface", LOOPBACK))
        try:
            self._participant: Any = DomainParticipant(int(domain))
        except DDSException as error:
            raise InputError(f"DDS cannot be used ({error.msg})") from None
        qos = _qos()
        self._topic = Topic(self._participant, f"{url.place}_readings", readings_type)
        topic = Topic(self._participant, f"{url.place}_action", action_type)
        self._writer: Any = DataWriter(self._participant, topic, qos)
        self._reader: Any = None
        self._observations, self._action_type, self._qos = observations, action_type, qos
        self.where = f"dds://{url.place}"

    def start(self, deliver: Deliver) -> None:
        """See `Bridge.start`."""
        from cyclonedds.core import Listener
        from cyclonedds.sub import DataReader

        def on_data(reader: Any) -> None:
            for sample in reader.take(_DRAIN):
                readings = _readings(sample, self._observations)
                if readings is not None:
                    deliver(readings)

        listener = Listener(on_data_available=on_data)
        self._reader = DataReader(self._participant, self._topic, self._qos, listener=listener)

    def send(self, action: Action) -> None:
        """See `Bridge.send`."""
        self._writer.write(
            self._action_type(
                sequence=action.sequence,
                timestamp=action.timestamp,
                readings=action.readings,
                status=action.status,
                mode=action.mode,
                action=action.action.tolist(),
                proposal=action.proposal.tolist(),
            )
        )

    def close(self) -> None:
        """See `Bridge.close`."""
        if self._reader is not None:
            self._reader.set_listener(None)
        self._reader = self._writer = self._topic = None
        self._participant = None  # deletes them all


def _readings(sample: Any, observations: int) -> Readings | None:
    """What a sample says; None where it is of somebody who left, or of other sizes."""
    values = getattr(sample, "observation", None)
    if values is None or len(values) != observations or len(sample.age_s) not in (0, observations):
        return None
    return Readings(
        observation=np.array(values, dtype=np.float32),
        sequence=0,
        timestamp=sample.timestamp,
        age_s=np.array(sample.age_s, dtype=np.float32) if sample.age_s else None,
        external=np.array(sample.external, dtype=np.float32) if sample.external else None,
        requests=sample.requests & _REQUESTS,
    )


def _qos() -> Any:
    from cyclonedds.core import Policy, Qos

    return Qos(Policy.Reliability.BestEffort, Policy.Durability.Volatile, Policy.History.KeepLast(1))
