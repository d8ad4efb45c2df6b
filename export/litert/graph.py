"""A LiteRT graph before it is bytes: tensors, operators, and one copy of each constant."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Dtype = Literal["float32", "int8", "int16", "int32", "int64"]

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Format:
    """Type of a tensor's numbers and what an integer means: ``real = scale · (integer − zero_point)``.

    Attributes:
        dtype: type of the numbers.
        scale: none for plain numbers, one for the tensor, or one for each channel along ``axis``.
        zero_point: integer that means 0.
        axis: dimension that has a scale for each index.
    """

    dtype: Dtype
    scale: tuple[float, ...] = ()
    zero_point: int = 0
    axis: int = 0


FLOAT = Format("float32")
INDEX = Format("int32")


@dataclass(frozen=True)
class Tensor:
    """A tensor; ``data`` is what a constant holds, little-endian, and None for a computed one."""

    name: str
    shape: Shape
    format: Format
    data: bytes | None = None


@dataclass(frozen=True)
class Operator:
    """An operator by its name in the schema, ``FULLY_CONNECTED``; tensors by index."""

    kind: str
    version: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


@dataclass
class GraphBuilder:
    """Collects tensors and operators; a constant that is there already is not added again."""

    tensors: list[Tensor] = field(default_factory=list)
    operators: list[Operator] = field(default_factory=list)
    _constants: dict[tuple[Shape, Format, bytes], int] = field(default_factory=dict)

    def tensor(self, name: str, shape: Shape, format_: Format) -> int:
        """Index of a new tensor that an operator, or the caller of the graph, fills."""
        self.tensors.append(Tensor(name, shape, format_))
        return len(self.tensors) - 1

    def rename(self, index: int, name: str) -> None:
        """Give a tensor another name."""
        self.tensors[index] = dataclasses.replace(self.tensors[index], name=name)

    def constant(self, name: str, values: npt.NDArray[Any], format_: Format) -> int:
        """Index of a tensor that holds ``values``, already of the format's type."""
        assert values.dtype == np.dtype(format_.dtype), (name, values.dtype, format_.dtype)
        data = np.ascontiguousarray(values).astype(values.dtype.newbyteorder("<"), copy=False).tobytes()
        key = (values.shape, format_, data)
        if key not in self._constants:
            self.tensors.append(Tensor(name, values.shape, format_, data))
            self._constants[key] = len(self.tensors) - 1
        return self._constants[key]

    def add(self, kind: str, version: int, inputs: tuple[int, ...], output: int) -> None:
        """Append an operator."""
        self.operators.append(Operator(kind, version, inputs, (output,)))


@dataclass(frozen=True)
class Graph:
    """A finished graph.

    Attributes:
        tensors, operators: in the order in which they are executed.
        inputs, outputs: index of the tensor for each name in the signature.
        metadata: documents that travel in the file, by name.
    """

    tensors: tuple[Tensor, ...]
    operators: tuple[Operator, ...]
    inputs: Mapping[str, int]
    outputs: Mapping[str, int]
    metadata: Mapping[str, bytes]
