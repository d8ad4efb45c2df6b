"""The middleware DDS, by Eclipse Cyclone DDS."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from typing import Any

from ltc_edge.deploy.ros.dds_graph import ENTITIES, TOPIC, entities_message
from ltc_edge.deploy.ros.dds_service import DdsService, user_data
from ltc_edge.deploy.ros.dds_types import dds_call_type, dds_sample, dds_type
from ltc_edge.deploy.ros.graph_names import dds_topic
from ltc_edge.deploy.ros.interfaces import MessageType, ServiceType
from ltc_edge.deploy.ros.middleware import Answer, OnMessage, Publish
from ltc_edge.deploy.ros.quality import LATCHED, Quality
from ltc_edge.errors import InputError, require

LOOPBACK = "lo"
"""The interface where nothing leaves this machine."""

_INTERFACE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,14}")
_DRAIN = 64
"""Messages that are taken at once."""

_domains: dict[int, tuple[str, Any]] = {}
"""The interface and settings of each domain that this process opened: DDS reads them once."""


class DdsMiddleware:
    """`Middleware` over a participant of a DDS domain.

    Args:
        node: name of the node.
        domain: ROS_DOMAIN_ID.
        interface: the network interface that is used, alone.

    Raises:
        InputError: there is no such interface, or the domain was opened over another one.
        MissingExtraError: cyclonedds is not installed.
    """

    def __init__(self, node: str, domain: int, interface: str = LOOPBACK) -> None:
        require("cyclonedds", "dds")
        from cyclonedds.core import DDSException
        from cyclonedds.domain import DomainParticipant

        open_domain(domain, interface)
        try:
            self._participant: Any = DomainParticipant(domain)
        except DDSException as error:
            raise InputError(f"DDS cannot use interface {interface!r} ({error.msg})") from None
        self._node = node
        self._topics: dict[str, Any] = {}
        self._readers: list[Any] = []
        self._writers: list[Any] = []
        self._services: list[DdsService] = []
        self._closed = False
        self._turn = threading.Lock()
        entities = dds_type(ENTITIES)
        self._tell = _publish(self._writer(TOPIC, entities, _qos(LATCHED)), entities)
        self._tell_entities()

    def subscribe(self, topic: str, message: MessageType, quality: Quality, on_message: OnMessage) -> None:
        """See `Middleware.subscribe`."""
        kind = dds_type(message)
        self._read(dds_topic(topic), kind, _qos(quality), lambda sample, _: on_message(sample.payload))
        self._tell_entities()

    def publisher(self, topic: str, message: MessageType, quality: Quality) -> Publish:
        """See `Middleware.publisher`."""
        kind = dds_type(message)
        writer = self._writer(dds_topic(topic), kind, _qos(quality))
        self._writers.append(writer)
        self._tell_entities()
        return _publish(writer, kind)

    def serve(self, name: str, service: ServiceType, quality: Quality, answer: Answer) -> None:
        """See `Middleware.serve`."""
        number = len(self._services) + 1
        qos = _qos(quality, user_data(service, self._participant.guid, number))
        writer = self._writer(f"rr{name}Reply", dds_call_type(service.response), qos)
        self._writers.append(writer)
        answering = DdsService(service, answer, writer)
        self._services.append(answering)
        self._read(f"rq{name}Request", dds_call_type(service.request), qos, answering.hear)
        self._tell_entities()

    def close(self) -> None:
        """See `Middleware.close`."""
        with self._turn:
            self._closed = True
        for reader in self._readers:
            reader.set_listener(None)
        for service in self._services:
            service.close()
        self._readers.clear()
        self._writers.clear()
        self._services.clear()
        self._topics.clear()
        self._participant = None  # deletes them all

    def _read(self, topic: str, kind: type[Any], qos: Any, on_sample: Callable[[Any, Any], None]) -> None:
        """Have each sample of a topic, and the reader that it came by, taken up."""
        from cyclonedds.core import Listener
        from cyclonedds.sub import DataReader

        def on_data(reader: Any) -> None:
            if reader is None:  # it is being made, and data are waiting for it
                return
            with self._turn:
                for sample in [] if self._closed else reader.take(_DRAIN):
                    if getattr(sample, "payload", None) is not None:  # None: somebody left
                        on_sample(sample, reader)

        listener = Listener(on_data_available=on_data)
        reader = DataReader(self._participant, self._topic(topic, kind), qos, listener=listener)
        self._readers.append(reader)
        on_data(reader)

    def _writer(self, topic: str, kind: type[Any], qos: Any) -> Any:
        from cyclonedds.pub import DataWriter

        return DataWriter(self._participant, self._topic(topic, kind), qos)

    def _topic(self, topic: str, kind: type[Any]) -> Any:
        from cyclonedds.topic import Topic

        if topic not in self._topics:
            self._topics[topic] = Topic(self._participant, topic, kind)
        return self._topics[topic]

    def _tell_entities(self) -> None:
        """Tell the graph of ROS 2 what this node reads and writes."""
        readers, writers = ([entity.guid for entity in some] for some in (self._readers, self._writers))
        self._tell(entities_message(self._participant.guid, self._node, readers, writers))


def _publish(writer: Any, kind: type[Any]) -> Publish:
    def publish(payload: bytes) -> None:
        writer.write(dds_sample(kind, payload))

    return publish


def open_domain(domain: int, interface: str) -> None:
    """Have this process's participants of ``domain`` talk over ``interface`` alone.

    Raises:
        InputError: there is no such interface, or the domain is open over another one.
    """
    from cyclonedds.core import DDSException
    from cyclonedds.domain import Domain

    if not _INTERFACE.fullmatch(interface):
        raise InputError(f"{interface[:40]!r} is no network interface; `ip link` lists them")
    if domain in _domains:
        if _domains[domain][0] != interface:
            raise InputError(f"domain {domain} is open over {_domains[domain][0]} already")
        return
    try:
        _domains[domain] = interface, Domain(domain, _configuration(interface))
    except DDSException as error:
        raise InputError(f"DDS cannot use interface {interface!r} ({error.msg})") from None


def _configuration(interface: str) -> str:
    """Loopback has no multicast on Linux: there, participants are looked for at the ports they may have."""
    interfaces = f'<Interfaces><NetworkInterface name="{interface}"/></Interfaces>'
    discovery = ""
    if interface == LOOPBACK:
        discovery = (
            "<Discovery><ParticipantIndex>auto</ParticipantIndex>"
            "<MaxAutoParticipantIndex>32</MaxAutoParticipantIndex>"
            '<Peers><Peer address="127.0.0.1"/></Peers></Discovery>'
        )
    return f"<CycloneDDS><Domain><General>{interfaces}</General>{discovery}</Domain></CycloneDDS>"


def _qos(quality: Quality, user_data: bytes = b"") -> Any:
    from cyclonedds.core import Policy, Qos
    from cyclonedds.util import duration

    reliable = Policy.Reliability.Reliable(duration(milliseconds=100))
    return Qos(
        reliable if quality.reliable else Policy.Reliability.BestEffort,
        Policy.Durability.TransientLocal if quality.latched else Policy.Durability.Volatile,
        Policy.History.KeepLast(quality.depth),
        Policy.Userdata(user_data),
    )
