"""``zenoh://KEY``: readings on ``KEY/readings``, actions on ``KEY/action``, as datagrams (docs/run.md).

?connect=tcp/127.0.0.1:7447   a router or peer to connect to
&listen=tcp/127.0.0.1:7448    where peers may connect; beyond this machine with --bind alone
"""

from __future__ import annotations

import ipaddress
import re
from typing import Any

from ltc_edge.deploy.ros.over_zenoh import LOOPBACK, zenoh_configuration
from ltc_edge.deploy.run.bridge import Deliver
from ltc_edge.deploy.run.datagrams import Action, decode_readings, encode_action
from ltc_edge.deploy.run.urls import IoUrl
from ltc_edge.errors import InputError, require

_KEY = re.compile(r"[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*")


class ZenohBridge:
    """A session of zenoh; see `Bridge`.

    Args:
        url: what the user said.
        observations: of the controller.
        bind: whether it may listen beyond this machine.

    Raises:
        InputError: the key or an endpoint is none, or cannot be used.
        MissingExtraError: zenoh is not installed.
    """

    def __init__(self, url: IoUrl, observations: int, *, bind: bool) -> None:
        zenoh = require("zenoh", "zenoh")
        url.only("connect", "listen")
        if not _KEY.fullmatch(url.place):
            raise InputError(f"--io: {url.place[:80]!r} is no key such as robot/arm")
        connect = [url.options["connect"]] if "connect" in url.options else []
        listen = [url.options.get("listen", LOOPBACK)]
        if not bind and not _is_loopback(listen[0]):
            raise InputError(
                f"--io: {listen[0][:80]} lets other machines drive the actuators; say --bind if so"
            )
        try:
            self._session: Any = zenoh.open(zenoh_configuration(zenoh, connect, listen))
        except zenoh.ZError as error:
            raise InputError(f"zenoh cannot be used ({str(error).splitlines()[0][:120]})") from None
        self._key, self._observations = url.place, observations
        self._publisher: Any = self._session.declare_publisher(
            f"{url.place}/action",
            # The loop's newest action is what counts: who is slow misses some.
            congestion_control=zenoh.CongestionControl.DROP,
            express=True,
        )
        self._subscriber: Any = None
        self.where = f"zenoh://{url.place}"

    def start(self, deliver: Deliver) -> None:
        """See `Bridge.start`."""

        def on_sample(sample: Any) -> None:
            try:
                readings = decode_readings(sample.payload.to_bytes(), self._observations)
            except InputError:
                return
            deliver(readings)

        self._subscriber = self._session.declare_subscriber(f"{self._key}/readings", on_sample)

    def send(self, action: Action) -> None:
        """See `Bridge.send`."""
        self._publisher.put(encode_action(action))

    def close(self) -> None:
        """See `Bridge.close`."""
        if self._subscriber is not None:
            self._subscriber.undeclare()
        self._publisher.undeclare()
        self._session.close()


def _is_loopback(endpoint: str) -> bool:
    host = endpoint.partition("/")[2].rpartition(":")[0].removeprefix("[").removesuffix("]")
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
