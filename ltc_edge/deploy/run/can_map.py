"""A CAN map: which bytes of which frame are which signal, from a file in TOML.

[readings.theta]
id = 0x101
byte = 0
type = "i16"        # u8, i8, u16, i16, u32, i32, f32; with a b behind it, most significant byte first
scale = 0.001       # signal = raw * scale + offset
offset = 0.0

[actions.torque]
id = 0x201
type = "f32"
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

_TYPE = re.compile(r"(u8|i8|u16|i16|u32|i32|f32)b?")
_KEYS = ("id", "byte", "type", "scale", "offset")
_LARGEST_ID, _FRAME_BYTES = 0x1FFFFFFF, 8


@dataclass(frozen=True)
class CanMap:
    """The two maps as the loop program reads them; ``can_map.h``."""

    readings: str
    actions: str


def read_can_map(path: Path, observations: Sequence[str], actions: Sequence[str]) -> CanMap:
    """The maps of a file.

    Raises:
        InputError: the file cannot be read, or does not place every signal in a frame.
    """
    table = read_table(path)
    for name in table:
        if name not in ("readings", "actions"):
            raise InputError(f"{path}: {name[:60]!r} is none of readings, actions")
    return CanMap(_signals(path, table, "readings", observations), _signals(path, table, "actions", actions))


def _signals(path: Path, table: Mapping[str, Any], part: str, names: Sequence[str]) -> str:
    found = table.get(part, {})
    if not isinstance(found, dict) or set(found) != set(names):
        raise InputError(f"{path}: [{part}] must have the signals {', '.join(names)}, and no other")
    return ",".join(_signal(f"{path}: {part}.{name}", found[name]) for name in names)


def _signal(where: str, said: Any) -> str:
    if not isinstance(said, dict) or not set(said) <= set(_KEYS) or not {"id", "type"} <= set(said):
        raise InputError(f"{where}: expected id and type, and if need be byte, scale and offset")
    kind, identifier, byte = said["type"], said["id"], said.get("byte", 0)
    if not isinstance(kind, str) or not _TYPE.fullmatch(kind):
        raise InputError(f"{where}.type: {kind!r} is none of u8, i8, u16, i16, u32, i32, f32, or with a b")
    size = int(kind.rstrip("b")[1:]) // 8
    if not _is_whole(identifier, _LARGEST_ID):
        raise InputError(f"{where}.id: {identifier!r} is no identifier, 0 to {_LARGEST_ID:#x}")
    if not _is_whole(byte, _FRAME_BYTES - size):
        raise InputError(
            f"{where}.byte: {byte!r}; a signal of {size} bytes begins at 0 to {_FRAME_BYTES - size}"
        )
    scale, offset = said.get("scale", 1.0), said.get("offset", 0.0)
    for name, number in (("scale", scale), ("offset", offset)):
        if not isinstance(number, int | float) or isinstance(number, bool) or not math.isfinite(number):
            raise InputError(f"{where}.{name}: {number!r} is no finite number")
    if scale == 0:
        raise InputError(f"{where}.scale: must not be 0")
    return f"{identifier:x}:{byte}:{kind}:{float(scale)!r}:{float(offset)!r}"


def _is_whole(value: Any, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most
