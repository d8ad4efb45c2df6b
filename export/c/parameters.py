"""The parameter block of a generated controller: one constant struct, and the CRC-32 of its bytes."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from ltc_edge.export.c.arithmetic import Float32
from ltc_edge.export.c.steps import Index, Synapses
from ltc_edge.export.c.text import float_literal, rows


@dataclass
class ParameterBlock:
    """Members in the order in which they are added: those of 4 bytes first, then those of 2.

    Nothing in it is padding that a compiler chose, so its bytes are the same for each of them.
    """

    _floats: dict[str, Float32] = field(default_factory=dict)
    _indices: dict[str, Index] = field(default_factory=dict)

    def floats(self, name: str, values: Float32) -> str:
        """Add a vector; returns the expression that reads it."""
        assert name not in self._floats, name
        self._floats[name] = _not_empty(values.astype(np.float32))
        return f"parameters.{name}"

    def indices(self, name: str, values: Index) -> str:
        """Add a vector of indices or counts."""
        assert name not in self._indices, name
        self._indices[name] = _not_empty(values.astype(np.uint16))
        return f"parameters.{name}"

    def synapses(self, name: str, synapses: Synapses) -> tuple[str, str, str]:
        """Add a list of synapses; returns the expressions of its counts, sources and synapses."""
        table = np.stack([synapses.slope, synapses.offset, synapses.numerator, synapses.denominator], axis=1)
        return (
            self.indices(f"{name}_count", synapses.count),
            self.indices(f"{name}_source", synapses.source),
            self.floats(f"{name}_synapse", table if len(table) else np.zeros((1, 4), dtype=np.float32)),
        )

    def content(self) -> bytes:
        """The bytes of the block, little-endian."""
        parts = [values.astype("<f4").tobytes() for values in self._floats.values()]
        parts += [values.astype("<u2").tobytes() for values in self._padded().values()]
        return b"".join(parts)

    def crc(self) -> int:
        """CRC-32 of `content`."""
        return zlib.crc32(self.content())

    def declaration(self) -> Iterator[str]:
        """The lines of the struct's type and its values."""
        yield "static const struct {"
        for name, values in self._floats.items():
            kind = "ltc_synapse_f32" if values.ndim == 2 else "float"
            yield f"    {kind} {name}[{len(values)}];"
        for name, codes in self._padded().items():
            yield f"    uint16_t {name}[{len(codes)}];"
        yield "} parameters = {"
        for name, values in self._floats.items():
            yield f"    /* {name} */"
            yield "    {"
            if values.ndim == 2:
                for row in values:
                    yield f"        {{ {', '.join(map(float_literal, row))} }},"
            else:
                yield from rows([float_literal(value) for value in values], "        ")
            yield "    },"
        for name, codes in self._padded().items():
            yield f"    /* {name} */"
            yield "    {"
            yield from rows([f"{code}U" for code in codes], "        ")
            yield "    },"
        yield "};"

    def _padded(self) -> dict[str, Index]:
        odd = sum(len(values) for values in self._indices.values()) % 2
        return self._indices | ({"padding": np.zeros(1, dtype=np.uint16)} if odd else {})


def _not_empty(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """C has no arrays of no length."""
    return values if len(values) else np.zeros(1, dtype=values.dtype)
