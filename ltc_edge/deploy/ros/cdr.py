"""Reading signals out of messages, and writing them into messages, without building objects.

The layout of a robot's messages hardly ever changes: it is looked up once and then checked by comparing the
lengths and the joints' names, so that a message costs two calls of `struct` and not a walk.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from ltc_edge.deploy.ros.example import check_path, example
from ltc_edge.deploy.ros.fields import FieldPath
from ltc_edge.deploy.ros.interfaces import MessageType, type_store
from ltc_edge.deploy.ros.layout import Layout, Place, find_layout
from ltc_edge.errors import InputError

NS = 1_000_000_000


class _Numbers:
    """Several numbers of a message with one call: `struct` goes by place, the caller by their order."""

    def __init__(self, order: str, places: Sequence[Place]) -> None:
        self._ranks = [0] * len(places)
        text, at = order, 0
        sorted_places = sorted(range(len(places)), key=lambda index: places[index].offset)
        previous: Place | None = None
        taken = -1
        for index in sorted_places:
            place = places[index]
            if place != previous:  # one number may be two signals
                text += f"{place.offset - at}x{place.code}"
                at = place.offset + struct.calcsize(place.code)
                taken += 1
                previous = place
            self._ranks[index] = taken
        self._in_order = self._ranks == list(range(len(places)))
        self._struct = struct.Struct(text)

    def read(self, payload: bytes) -> Sequence[float]:
        found = self._struct.unpack_from(payload)
        return found if self._in_order else [found[rank] for rank in self._ranks]


@dataclass(frozen=True)
class _Known:
    """A layout, ready to be recognised and read."""

    size: int
    order: int
    lengths: _Numbers
    expected: tuple[int, ...]
    texts: tuple[tuple[int, int, bytes], ...]
    values: _Numbers
    stamp: _Numbers | None

    @classmethod
    def of(cls, layout: Layout, payload: bytes) -> _Known:
        places = [Place(offset, "I") for offset, _ in layout.lengths]
        return cls(
            layout.size,
            payload[1],
            _Numbers(layout.order, places),
            tuple(length for _, length in layout.lengths),
            tuple((begin, end, payload[begin:end]) for begin, end in layout.texts),
            _Numbers(layout.order, layout.values),
            None if layout.stamp is None else _Numbers(layout.order, layout.stamp),
        )

    def fits(self, payload: bytes) -> bool:
        return (
            len(payload) == self.size
            and payload[1] == self.order
            and payload[0] == 0
            and self.lengths.read(payload) == self.expected
            and all(payload[begin:end] == text for begin, end, text in self.texts)
        )


class Decoder:
    """Reads the same numbers out of one message after another.

    Args:
        message: their type.
        paths: the numbers.

    Raises:
        InputError: the type has no such field, or it is no number.
    """

    def __init__(self, message: MessageType, paths: Sequence[FieldPath]) -> None:
        self._message = message
        self._paths = tuple(paths)
        self._known: _Known | None = None
        for path in self._paths:
            check_path(message, path)

    def read(self, payload: bytes) -> Sequence[float]:
        """The numbers of a message, in the order of ``paths``.

        Raises:
            NotThisMessageError: it is no such message, or lacks one of them.
        """
        known = self._known
        if known is None or not known.fits(payload):
            layout = find_layout(self._message.name, payload, self._paths)
            known = self._known = _Known.of(layout, payload)
        return known.values.read(payload)

    def stamp_ns(self, payload: bytes) -> int | None:
        """When the message read last was measured, in nanoseconds since 1970; None where it does not say."""
        known = self._known
        if known is None or known.stamp is None:
            return None
        seconds, nanoseconds = known.stamp.read(payload)
        return int(seconds) * NS + int(nanoseconds)


class Encoder:
    """Writes numbers into copies of one message.

    Args:
        message: its type.
        paths: the numbers; sequences are made as long as they ask for, and joints are named in their order.

    Raises:
        InputError: the type has no such field, or it is no floating-point number.
    """

    def __init__(self, message: MessageType, paths: Sequence[FieldPath]) -> None:
        for path in paths:
            check_path(message, path)
        if len({path.parts for path in paths}) < len(paths):
            raise InputError(f"two signals in one field of {message.name}: name other fields")
        built = example(message.name, [path.parts for path in paths])
        self._bytes = bytearray(type_store().serialize_cdr(built, message.name, little_endian=True))
        layout = find_layout(message.name, bytes(self._bytes), paths)
        for path, place in zip(paths, layout.values, strict=True):
            if place.code not in "fd":
                raise InputError(f"{path.said} of {message.name} is no floating-point number")
        self._writers = [(struct.Struct(f"<{p.code}").pack_into, p.offset) for p in layout.values]
        self._stamp = None if layout.stamp is None else layout.stamp[0].offset

    def write(self, values: Sequence[float], stamp_ns: int) -> bytes:
        """A message with these numbers, and this time in its header if it has one."""
        content = self._bytes
        if self._stamp is not None:
            struct.pack_into("<iI", content, self._stamp, stamp_ns // NS, stamp_ns % NS)
        for (pack, offset), value in zip(self._writers, values, strict=True):
            pack(content, offset, value)
        return bytes(content)
