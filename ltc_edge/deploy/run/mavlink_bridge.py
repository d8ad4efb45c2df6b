"""``mavlink://udp:HOST:PORT?map=FILE``: readings from fields of messages, actions as channels.

It listens at HOST:PORT for an autopilot or simulator, and answers whoever sent last. Each reading is as old
as the message that brought it.
"""

from __future__ import annotations

import contextlib
import math
import socket
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ltc_edge.deploy.run.bridge import Deliver
from ltc_edge.deploy.run.datagrams import Action, Readings
from ltc_edge.deploy.run.mavlink_map import CHANNELS, MavlinkMap, read_mavlink_map
from ltc_edge.deploy.run.urls import IoUrl, numeric
from ltc_edge.errors import InputError, require

SYSTEM, COMPONENT = 245, 191
"""Of this program: MAV_COMP_ID_ONBOARD_COMPUTER of a system that is no vehicle."""
_HEARTBEAT_S, _POLL_S = 1.0, 0.1
_MOST_BYTES = 2048
_UNUSED_PWM = 65535  # of RC_CHANNELS_OVERRIDE: this channel stays as it is


class MavlinkBridge:
    """A UDP socket that speaks MAVLink 2; see `Bridge`.

    Args:
        url: what the user said.
        observations, actions: names of the signals.
        bind: whether it may listen beyond this machine.

    Raises:
        InputError: the address or the map cannot be used.
        MissingExtraError: pymavlink is not installed.
    """

    def __init__(
        self, url: IoUrl, observations: Sequence[str], actions: Sequence[str], *, bind: bool
    ) -> None:
        self._dialect: Any = require("pymavlink.dialects.v20.common", "mavlink")
        url.only("map")
        if "map" not in url.options or not url.place.startswith("udp:"):
            raise InputError("--io: expected mavlink://udp:HOST:PORT?map=FILE.toml")
        self._map = read_mavlink_map(Path(url.options["map"]), observations, actions)
        _known(self._dialect, self._map)
        host, _, port = numeric(url.place.removeprefix("udp:")).rpartition(":")
        if not bind and not host.startswith("127.") and host != "[::1]":
            raise InputError(f"--io: {host} lets other machines drive the actuators; say --bind if so")
        family = socket.AF_INET6 if host.startswith("[") else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        self._socket.settimeout(_POLL_S)
        try:
            self._socket.bind((host.strip("[]"), int(port)))
        except OSError as error:
            self._socket.close()
            raise InputError(f"--io: {host}:{port}: {error.strerror}") from None
        self._mavlink: Any = self._dialect.MAVLink(None, srcSystem=SYSTEM, srcComponent=COMPONENT)
        self._mavlink.robust_parsing = True
        self._lock = threading.Lock()
        self._peer: Any = None
        self._values = np.zeros(len(observations), dtype=np.float32)
        self._at = np.full(len(observations), -math.inf)
        self._over = threading.Event()
        self._thread: threading.Thread | None = None
        self.port = int(self._socket.getsockname()[1])
        self.where = f"mavlink://udp:{host}:{self.port}"

    def start(self, deliver: Deliver) -> None:
        """See `Bridge.start`."""
        self._thread = threading.Thread(target=self._hear, args=(deliver,), daemon=True)
        self._thread.start()

    def send(self, action: Action) -> None:
        """See `Bridge.send`."""
        channels = [0.0] * CHANNELS
        for value, place in zip(action.action.tolist(), self._map.actions, strict=True):
            channels[place.channel] = value * place.scale + place.offset
        system, component = self._map.target
        if self._map.send == "RC_CHANNELS_OVERRIDE":
            used = {place.channel for place in self._map.actions}
            pulses = [
                min(max(round(value), 0), _UNUSED_PWM - 1) if index in used else _UNUSED_PWM
                for index, value in enumerate(channels)
            ]
            self._give(self._dialect.MAVLink_rc_channels_override_message(system, component, *pulses))
        else:
            now_us = time.time_ns() // 1000
            made = self._dialect.MAVLink_set_actuator_control_target_message
            self._give(made(now_us, 0, system, component, channels))

    def close(self) -> None:
        """See `Bridge.close`."""
        self._over.set()
        if self._thread is not None:
            self._thread.join()
        self._socket.close()

    def _give(self, message: Any) -> None:
        with self._lock:
            if self._peer is not None:
                with contextlib.suppress(OSError):  # nobody is there just now
                    self._socket.sendto(message.pack(self._mavlink), self._peer)

    def _hear(self, deliver: Deliver) -> None:
        beaten = -math.inf
        while not self._over.is_set():
            if time.monotonic() - beaten >= _HEARTBEAT_S:
                beaten = time.monotonic()
                self._give(self._heartbeat())
            try:
                content, peer = self._socket.recvfrom(_MOST_BYTES)
            except OSError:  # nothing came
                continue
            with self._lock:
                messages = self._mavlink.parse_buffer(content) or []
                self._peer = peer if messages else self._peer
            found = [self._take(message) for message in messages]
            if any(found):
                age_s = (time.monotonic() - self._at).astype(np.float32)
                # A signal that never came has an age of inf, which says so.
                deliver(Readings(self._values.copy(), 0, age_s=age_s))

    def _take(self, message: Any) -> bool:
        """Keep what readings a message has; whether it had any."""
        found = False
        for index, place in enumerate(self._map.readings):
            if message.get_type() == place.message:
                value = getattr(message, place.field)
                value = value if place.element is None else value[place.element]
                self._values[index] = value * place.scale + place.offset
                self._at[index] = time.monotonic()
                found = True
        return found

    def _heartbeat(self) -> Any:
        dialect = self._dialect
        return dialect.MAVLink_heartbeat_message(
            dialect.MAV_TYPE_ONBOARD_CONTROLLER,
            dialect.MAV_AUTOPILOT_INVALID,
            0,
            0,
            dialect.MAV_STATE_ACTIVE,
            3,
        )


def _known(dialect: Any, mapped: MavlinkMap) -> None:
    """Refuse messages and fields that the dialect does not have."""
    types = {kind.msgname: kind for kind in dialect.mavlink_map.values()}
    for place in mapped.readings:
        if place.message not in types:
            raise InputError(f"--io: MAVLink's common dialect has no message {place.message}")
        kind = types[place.message]
        if place.field not in kind.fieldnames:
            raise InputError(
                f"--io: {place.message} has no field {place.field}: {', '.join(kind.fieldnames)}"
            )
        length = kind.array_lengths[kind.ordered_fieldnames.index(place.field)]
        if (place.element is not None) != (length > 0) or (place.element or 0) >= max(length, 1):
            raise InputError(
                f"--io: {place.message}.{place.field} has {length or 'no'} elements; say element so"
            )
