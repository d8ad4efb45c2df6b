"""A MAVLink map: which fields of which messages are readings, and which channels are actions.

send = "SET_ACTUATOR_CONTROL_TARGET"    # or "RC_CHANNELS_OVERRIDE"
target_system = 1
target_component = 1

[readings.roll]
message = "ATTITUDE"
field = "roll"
scale = 1.0                             # signal = field * scale + offset
offset = 0.0

[actions.torque]
channel = 0                             # of 8
scale = 0.5                             # channel = action * scale + offset
offset = 0.0
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ltc_edge.errors import InputError
from ltc_edge.targets.description import read_table

SENT = ("SET_ACTUATOR_CONTROL_TARGET", "RC_CHANNELS_OVERRIDE")
CHANNELS = 8
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_TOP = ("send", "target_system", "target_component", "readings", "actions")


@dataclass(frozen=True)
class Field:
    """A reading: a field of a message, or an element of one that is an array."""

    message: str
    field: str
    element: int | None
    scale: float
    offset: float


@dataclass(frozen=True)
class Channel:
    """An action: a channel of the message that is sent."""

    channel: int
    scale: float
    offset: float


@dataclass(frozen=True)
class MavlinkMap:
    """A map.

    Attributes:
        send: name of the message that carries actions.
        target: system and component that it is for.
        readings: a field for each observation.
        actions: a channel for each action.
    """

    send: str
    target: tuple[int, int]
    readings: tuple[Field, ...]
    actions: tuple[Channel, ...]


def read_mavlink_map(path: Path, observations: Sequence[str], actions: Sequence[str]) -> MavlinkMap:
    """The map of a file.

    Raises:
        InputError: the file cannot be read, or does not place every signal.
    """
    table = read_table(path)
    for name in table:
        if name not in _TOP:
            raise InputError(f"{path}: {name[:60]!r} is none of {', '.join(_TOP)}")
    send = table.get("send", SENT[0])
    if send not in SENT:
        raise InputError(f"{path}: send: {send!r} is none of {', '.join(SENT)}")
    target = tuple(
        _whole(f"{path}: {name}", table.get(name, 1), 255) for name in ("target_system", "target_component")
    )
    channels = tuple(_channel(where, said) for where, said in _signals(path, table, "actions", actions))
    if len({channel.channel for channel in channels}) != len(channels):
        raise InputError(f"{path}: two actions have the same channel")
    fields = tuple(_field(where, said) for where, said in _signals(path, table, "readings", observations))
    return MavlinkMap(str(send), (target[0], target[1]), fields, channels)


def _signals(
    path: Path, table: Mapping[str, Any], part: str, names: Sequence[str]
) -> list[tuple[str, Mapping[str, Any]]]:
    found = table.get(part, {})
    if not isinstance(found, dict) or set(found) != set(names):
        raise InputError(f"{path}: [{part}] must have the signals {', '.join(names)}, and no other")
    for name in names:
        if not isinstance(found[name], dict):
            raise InputError(f"{path}: {part}.{name} must be a table")
    return [(f"{path}: {part}.{name}", found[name]) for name in names]


def _field(where: str, said: Mapping[str, Any]) -> Field:
    _only(where, said, "message", "field", "element", "scale", "offset")
    for name in ("message", "field"):
        if not isinstance(said.get(name), str) or not _NAME.fullmatch(said[name]):
            raise InputError(f"{where}.{name}: expected the name of a {name}")
    element = None if "element" not in said else _whole(f"{where}.element", said["element"], 255)
    return Field(said["message"], said["field"], element, *_line(where, said))


def _channel(where: str, said: Mapping[str, Any]) -> Channel:
    _only(where, said, "channel", "scale", "offset")
    return Channel(_whole(f"{where}.channel", said.get("channel"), CHANNELS - 1), *_line(where, said))


def _only(where: str, said: Mapping[str, Any], *known: str) -> None:
    for name in said:
        if name not in known:
            raise InputError(f"{where}: {name[:60]!r} is none of {', '.join(known)}")


def _whole(where: str, value: Any, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
        raise InputError(f"{where}: {value!r} is no whole number from 0 to {most}")
    return value


def _line(where: str, said: Mapping[str, Any]) -> tuple[float, float]:
    """Scale and offset."""
    found = []
    for name, usual in (("scale", 1.0), ("offset", 0.0)):
        value = said.get(name, usual)
        if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
            raise InputError(f"{where}.{name}: {value!r} is no finite number")
        found.append(float(value))
    return found[0], found[1]
