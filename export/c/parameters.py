"""The parameter block of a generated controller: one constant struct, and the CRC-32 of its bytes."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from ltc_edge.export.c.text import float_literal, rows

Array = npt.NDArray[Any]

_TYPES = {"f4": "float", "i4": "int32_t", "u2": "uint16_t", "i2": "int16_t", "u1": "uint8_t", "i1": "int8_t"}
_ALIGNMENTS = (4, 2, 1)


@dataclass(frozen=True, eq=False)
class _Member:
    """An array of the block; one of a structured type has the C type ``kind``."""

    values: Array
    kind: str

    @property
    def alignment(self) -> int:
        fields = self.values.dtype.fields
        types = [kind for kind, *_ in fields.values()] if fields else [self.values.dtype]
        return max(kind.itemsize for kind in types)

    def content(self) -> bytes:
        return self.values.astype(self.values.dtype.newbyteorder("<")).tobytes()


@dataclass
class ParameterBlock:
    """Members in the order in which they are added, but those of 4 bytes first, then those of 2 and of 1.

    Nothing in it is padding that a compiler chose, so its bytes are the same for each of them.
    """

    _members: dict[str, _Member] = field(default_factory=dict)

    def array(self, name: str, values: Array) -> str:
        """Add a vector of float32 or of integers of up to 32 bits; returns the expression that reads it."""
        return self._add(name, values, _TYPES[values.dtype.str[1:]])

    def table(self, name: str, kind: str, columns: Mapping[str, Array]) -> str:
        """Add a vector of the C struct ``kind``, which has a field for each column and no padding."""
        first = next(iter(columns.values()))
        values = np.zeros(len(first), dtype=[(field, column.dtype) for field, column in columns.items()])
        for key, column in columns.items():
            values[key] = column
        return self._add(name, values, kind)

    def _add(self, name: str, values: Array, kind: str) -> str:
        assert name not in self._members, name
        # C has no arrays of no length.
        filled = values if len(values) else np.zeros(1, dtype=values.dtype)
        self._members[name] = _Member(filled, kind)
        return f"parameters.{name}"

    def content(self) -> bytes:
        """The bytes of the block, little-endian."""
        return b"".join(member.content() for member in self._ordered().values())

    def crc(self) -> int:
        """CRC-32 of `content`."""
        return zlib.crc32(self.content())

    def declaration(self) -> Iterator[str]:
        """The lines of the struct's type and its values."""
        members = self._ordered()
        yield "static const struct {"
        for name, member in members.items():
            yield f"    {member.kind} {name}[{len(member.values)}];"
        yield "} parameters = {"
        for name, member in members.items():
            yield f"    /* {name} */"
            yield "    {"
            if member.values.dtype.fields:
                for row in member.values:
                    yield f"        {{ {', '.join(_literal(row[key]) for key in row.dtype.names)} }},"
            else:
                yield from rows([_literal(value) for value in member.values], "        ")
            yield "    },"
        yield "};"

    def _ordered(self) -> dict[str, _Member]:
        ordered = {
            name: member
            for alignment in _ALIGNMENTS
            for name, member in self._members.items()
            if member.alignment == alignment
        }
        missing = -sum(len(member.content()) for member in ordered.values()) % _ALIGNMENTS[0]
        if missing:
            ordered["padding"] = _Member(np.zeros(missing, dtype=np.uint8), "uint8_t")
        return ordered


def _literal(value: Any) -> str:
    if isinstance(value, np.floating):
        return float_literal(np.float32(value))
    return f"{value}U" if isinstance(value, np.unsignedinteger) else str(value)
