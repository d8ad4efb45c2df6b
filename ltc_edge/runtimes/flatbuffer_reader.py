"""Reads a flatbuffer that nobody vouches for: every offset is checked before it is followed.

The runtimes that execute such files trust their offsets, so a damaged one can crash the process. This
reader accepts less than the format allows: no field that the caller did not ask for, and no vector longer
than the file.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

SIZES = {"B": 1, "b": 1, "i": 4, "I": 4, "q": 8, "f": 4}


class DamagedError(Exception):
    """An offset, length or field that cannot be right."""


def require(condition: object, what: str) -> None:
    """Raise `DamagedError` unless ``condition`` holds."""
    if not condition:
        raise DamagedError(what)


def root(content: bytes, identifier: bytes, fields: Mapping[str, int]) -> Table:
    """The outermost table of a file that starts with ``identifier``."""
    require(len(content) >= 8 and content[4:8] == identifier, f"no {identifier.decode()} identifier")
    return Table.at(content, _unsigned(content, 0), fields)


@dataclass(frozen=True)
class Table:
    """One table.

    Attributes:
        content: the whole file.
        places: where each field that is present lies, by name.
        end: where the table ends.
    """

    content: bytes
    places: Mapping[str, int]
    end: int

    @classmethod
    def at(cls, content: bytes, position: int, fields: Mapping[str, int]) -> Table:
        """The table at ``position``, which may hold ``fields`` (slots by name) and no others."""
        require(position % 4 == 0 and 4 <= position <= len(content) - 4, "a table lies outside the file")
        vtable = position - struct.unpack_from("<i", content, position)[0]
        require(vtable % 2 == 0 and 4 <= vtable <= len(content) - 4, "a table's fields lie outside the file")
        own, size = struct.unpack_from("<HH", content, vtable)
        require(own >= 4 and own % 2 == 0 and vtable + own <= len(content), "a table's fields are cut off")
        require(size >= 4 and position + size <= len(content), "a table is cut off")
        offsets = struct.unpack_from(f"<{(own - 4) // 2}H", content, vtable + 4)
        names = {slot: name for name, slot in fields.items()}
        places = {}
        for slot, offset in enumerate(offsets):
            if offset:
                require(slot in names, f"unexpected field {slot}")
                require(4 <= offset < size, "a field lies outside its table")
                places[names[slot]] = position + offset
        return cls(content, places, position + size)

    def number(self, name: str, kind: str, default: float = 0) -> Any:
        """A number of ``struct`` type ``kind``."""
        if name not in self.places:
            return default
        place = self.places[name]
        require(place % SIZES[kind] == 0 and place + SIZES[kind] <= self.end, "a field is cut off")
        return struct.unpack_from(f"<{kind}", self.content, place)[0]

    def table(self, name: str, fields: Mapping[str, int]) -> Table:
        """The table that a field refers to."""
        return Table.at(self.content, self._target(name), fields)

    def tables(self, name: str, fields: Mapping[str, int], most: int) -> list[Table]:
        """The tables of a vector of at most ``most``; none where the field is absent."""
        if name not in self.places:
            return []
        start, length = self._vector(name, 4)
        require(length <= most, f"more than {most} {name}")
        places = range(start, start + 4 * length, 4)
        return [Table.at(self.content, p + _unsigned(self.content, p), fields) for p in places]

    def numbers(self, name: str, kind: str) -> npt.NDArray[Any]:
        """The numbers of a vector; none where the field is absent."""
        dtype = np.dtype(kind).newbyteorder("<")
        if name not in self.places:
            return np.empty(0, dtype)
        start, length = self._vector(name, SIZES[kind])
        return np.frombuffer(self.content, dtype, length, start)

    def text(self, name: str) -> str:
        """Text; empty where the field is absent."""
        if name not in self.places:
            return ""
        start, length = self._vector(name, 1)
        require(self.content[start + length : start + length + 1] == b"\0", "text is not terminated")
        try:
            return self.content[start : start + length].decode()
        except UnicodeDecodeError:
            raise DamagedError("text is not UTF-8") from None

    def span(self, name: str) -> tuple[int, int]:
        """Where the bytes of a vector start and how many there are; (0, 0) where the field is absent."""
        return self._vector(name, 1) if name in self.places else (0, 0)

    def _vector(self, name: str, size: int) -> tuple[int, int]:
        position = self._target(name)
        require(position % 4 == 0, "a vector is out of line")
        length = _unsigned(self.content, position)
        start = position + 4
        require(start + length * size <= len(self.content), "a vector is cut off")
        require(start % size == 0 or not length, "a vector is out of line")
        return start, length

    def _target(self, name: str) -> int:
        require(name in self.places, f"{name} is missing")
        place = self.places[name]
        require(place % 4 == 0 and place + 4 <= self.end, "an offset is cut off")
        return place + _unsigned(self.content, place)


def _unsigned(content: bytes, position: int) -> int:
    require(position <= len(content) - 4, "an offset lies outside the file")
    return int(struct.unpack_from("<I", content, position)[0])
