"""What a ``.tflite`` file of ours holds, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

from ltc_edge.runtimes.codes import Interface


@dataclass(frozen=True)
class FileTensor:
    """A tensor in a file; ``data`` are a constant's numbers, in its shape, and None for a computed one."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    scale: tuple[float, ...]
    zero_point: tuple[int, ...]
    axis: int
    data: npt.NDArray[Any] | None


@dataclass(frozen=True)
class FileOperator:
    """An operator in a file; tensors by index."""

    kind: str
    version: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class LiteRTFile:
    """What a file holds.

    Attributes:
        document: what it says about itself.
        interface: codes of its inputs and outputs.
        tensors, operators: of its only graph.
        inputs, outputs: index of the tensor of each name in its signature.
    """

    document: Mapping[str, Any]
    interface: Interface
    tensors: tuple[FileTensor, ...]
    operators: tuple[FileOperator, ...]
    inputs: Mapping[str, int]
    outputs: Mapping[str, int]
