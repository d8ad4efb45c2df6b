"""Where the numbers stand in the bytes of a message: a walk over its CDR.

ROS 2 sends a message as CDR (OMG DDS-XTypes 1.3, section 7.4.3, version 1 of the encoding): four bytes that
say the byte order, then the fields in order, each aligned to its size counted from the fifth byte. Strings
and sequences begin with their length, so where a number stands depends on the lengths before it: they are
found by one walk, and hold for every message with the same lengths.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

from ltc_edge.deploy.ros.fields import STAMP, FieldPath, Part
from ltc_edge.deploy.ros.interfaces import Field, fields_of
from ltc_edge.errors import InputError

HEADER = 4
"""Bytes before a message's fields."""

_CODES = {
    "bool": "?",
    "byte": "B",
    "char": "B",
    "octet": "B",
    "float32": "f",
    "float64": "d",
    "int8": "b",
    "uint8": "B",
    "int16": "h",
    "uint16": "H",
    "int32": "i",
    "uint32": "I",
    "int64": "q",
    "uint64": "Q",
}


class NotThisMessageError(InputError):
    """Bytes are no message of a type, or lack what is looked for in it."""


@dataclass(frozen=True)
class Place:
    """Where a number stands: byte of the message, and its code in `struct`."""

    offset: int
    code: str


@dataclass
class Layout:
    """What a walk found.

    Attributes:
        order: ``<`` or ``>``, as `struct` writes a byte order.
        size: bytes of the message.
        lengths: places of the lengths of strings and sequences, and what they are.
        texts: stretches of bytes that decided where to look: the names of joints.
        values: the numbers that were asked for, in the order asked.
        stamp: seconds and nanoseconds of ``header.stamp``, where the type has one.
    """

    order: str
    size: int
    lengths: list[tuple[int, int]] = field(default_factory=list)
    texts: list[tuple[int, int]] = field(default_factory=list)
    values: list[Place] = field(default_factory=list)
    stamp: tuple[Place, Place] | None = None


def byte_order(payload: bytes) -> str:
    """``<`` or ``>`` from the first bytes of a message.

    Raises:
        NotThisMessageError: they are not those of plain CDR.
    """
    if len(payload) < HEADER:
        raise NotThisMessageError(f"a message of {len(payload)} bytes, which is none")
    if payload[0] != 0 or payload[1] > 1:
        raise NotThisMessageError(f"its encoding is {payload[:2].hex()}, and CDR is 0000 or 0001")
    return "<" if payload[1] else ">"


def find_layout(name: str, payload: bytes, wanted: Sequence[FieldPath]) -> Layout:
    """Walk over a message.

    Args:
        name: the message's type.
        payload: the message, with its first four bytes.
        wanted: the numbers to find.

    Raises:
        NotThisMessageError: it ends too early, or lacks one of them.
    """
    layout = Layout(byte_order(payload), len(payload))
    walk = _Walk(payload, layout)
    found = walk.message(name, [(path.parts, path) for path in wanted], ())
    missing = [path.said for path in wanted if path not in found]
    if missing:
        raise NotThisMessageError(f"a {name} without {', '.join(missing)}")
    layout.values = [found[path] for path in wanted]
    return layout


_Wanted = list[tuple[tuple[Part, ...], FieldPath]]
_Found = dict[FieldPath, Place]


class _Walk:
    """A position in a message that moves over it once."""

    def __init__(self, payload: bytes, layout: Layout) -> None:
        self._payload = payload
        self._layout = layout
        self._at = HEADER
        self._stamp: list[Place] = []

    def message(self, name: str, wanted: _Wanted, way: tuple[str, ...]) -> _Found:
        """Over one message, at ``way`` from the outermost: the places of what is wanted inside it."""
        found: _Found = {}
        joints: list[str] = []
        by_joint = any(parts[0].joint is not None for parts, _ in wanted)
        for field_ in fields_of(name):
            inside = _by_number([one for one in wanted if one[0][0].field == field_.name], joints)
            if by_joint and field_.name == "name":
                joints = self._joints()
            else:
                found |= self._field(field_, inside, (*way, field_.name))
        if way == STAMP and len(self._stamp) == 2:
            self._layout.stamp = self._stamp[0], self._stamp[1]
        return found

    def _field(self, field_: Field, wanted: _Wanted, way: tuple[str, ...]) -> _Found:
        if not field_.listed:
            return self._one(field_, [w for w in wanted if w[0][0].index is None], way)
        count = self._length() if field_.count is None else field_.count
        if field_.base in _CODES:
            return self._numbers(_CODES[field_.base], count, wanted)
        found: _Found = {}
        for index in range(count):
            found |= self._one(field_, [w for w in wanted if w[0][0].index == index], way)
        return found

    def _one(self, field_: Field, wanted: _Wanted, way: tuple[str, ...]) -> _Found:
        """Over one number, text or message."""
        if field_.message is not None:
            return self.message(field_.message, [(parts[1:], p) for parts, p in wanted if parts[1:]], way)
        if field_.base == "string":
            self._skip(self._length())
            return {}
        if field_.base not in _CODES:
            raise NotThisMessageError(f"{'.'.join(way)}: a {field_.base}, which is not read")
        code = _CODES[field_.base]
        size = struct.calcsize(code)
        self._align(size)
        place = Place(self._at, code)
        self._skip(size)
        if way[:2] == STAMP and len(way) == 3:
            self._stamp.append(place)
        return {path: place for parts, path in wanted if len(parts) == 1}

    def _numbers(self, code: str, count: int, wanted: _Wanted) -> _Found:
        """Over numbers side by side."""
        if count == 0:
            return {}
        size = struct.calcsize(code)
        self._align(size)
        begin = self._at
        self._skip(size * count)
        return {
            path: Place(begin + size * parts[0].index, code)
            for parts, path in wanted
            if len(parts) == 1 and parts[0].index is not None and parts[0].index < count
        }

    def _joints(self) -> list[str]:
        """Over the names of joints; the layout holds as long as they stay."""
        begin = self._at
        joints = [self._text() for _ in range(self._length())]
        self._layout.texts.append((begin, self._at))
        return joints

    def _length(self) -> int:
        self._align(4)
        at = self._at
        self._skip(4)
        (count,) = struct.unpack_from(f"{self._layout.order}I", self._payload, at)
        if count > len(self._payload) - self._at:  # whatever it counts, each takes a byte or more
            raise NotThisMessageError(f"a length of {count} in a message of {len(self._payload)} bytes")
        self._layout.lengths.append((at, count))
        return int(count)

    def _text(self) -> str:
        size = self._length()
        begin = self._at
        self._skip(size)
        return self._payload[begin : begin + size].rstrip(b"\0").decode("utf-8", "replace")

    def _align(self, size: int) -> None:
        self._skip(-(self._at - HEADER) % size)

    def _skip(self, size: int) -> None:
        self._at += size
        if self._at > len(self._payload):
            raise NotThisMessageError(f"it ends after {len(self._payload)} bytes, within a field")


def _by_number(wanted: _Wanted, joints: Sequence[str]) -> _Wanted:
    """Paths that go by a joint's name, by its number among ``joints``; those of absent joints are dropped."""
    resolved: _Wanted = []
    for parts, path in wanted:
        joint = parts[0].joint
        if joint is None:
            resolved.append((parts, path))
        elif joint in joints:
            first = Part(parts[0].field, index=joints.index(joint))
            resolved.append(((first, *parts[1:]), path))
    return resolved
