"""A program as a LiteRT graph: what floating point and integers have in common."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np

from ltc_edge.export.litert.graph import INDEX, Dtype, Format, Graph, GraphBuilder
from ltc_edge.export.litert.operators import BINARY, MAP, version
from ltc_edge.export.program import Array, Binary, Concat, Dense, Map, Operation, Program, Slice
from ltc_edge.runtimes.codes import Interface
from ltc_edge.runtimes.litert_file import (
    DIGEST,
    DIGEST_PLACE,
    FORMAT,
    METADATA,
    RUNTIME,
    SCHEMA_VERSION,
)


class Lowering(ABC):
    """Walks a program; subclasses say how numbers are stored.

    Args:
        program: what is to be written.
        dtype: type of activations.
    """

    def __init__(self, program: Program, dtype: Dtype) -> None:
        self.program = program
        self.builder = GraphBuilder()
        self._dtype = dtype
        self._index: dict[str, int] = {}
        self._folded: dict[str, Array] = dict(program.constants)

    @abstractmethod
    def format(self, name: str) -> Format:
        """How a tensor or constant of the program is stored."""

    @abstractmethod
    def stored(self, name: str, values: Array) -> np.ndarray[Any, Any]:
        """The numbers of a constant, ``(1, n)``, in its format."""

    @abstractmethod
    def weights(self, operation: Dense) -> tuple[int, int]:
        """Tensors of the weights and the biases."""

    def graph(self, interface: Interface, document: Mapping[str, Any], runtime: str | None) -> Graph:
        """The finished graph.

        Args:
            interface: codes of its inputs and outputs.
            document: what else the file is to say about itself.
            runtime: oldest runtime that is known to execute it.
        """
        for name in self.program.inputs:
            self._index[name] = self._tensor(name)
        for operation in self._needed():
            self._operation(operation)
        about = {
            "format": FORMAT,
            "schema_version": SCHEMA_VERSION,
            **document,
            "interface": interface.to_json(),
        }
        text = json.dumps(about, sort_keys=True, separators=(",", ":"), allow_nan=False)
        metadata = {METADATA: text.encode(), DIGEST: DIGEST_PLACE}
        if runtime is not None:
            metadata[RUNTIME] = runtime.encode().ljust(16, b"\0")
        for name, tensor in self.program.outputs.items():
            # By the names that callers know, not by the operation that happens to come last.
            self.builder.rename(self._read(tensor), name)
        return Graph(
            tuple(self.builder.tensors),
            tuple(self.builder.operators),
            {name: self._index[name] for name in self.program.inputs},
            {name: self._read(tensor) for name, tensor in self.program.outputs.items()},
            metadata,
        )

    def _needed(self) -> list[Operation]:
        """Operations that reach an output, in order."""
        wanted, kept = set(self.program.outputs.values()), []
        for operation in reversed(self.program.operations):
            if operation.output in wanted:
                kept.append(operation)
                wanted.update(operation.inputs)
        return kept[::-1]

    def _operation(self, operation: Operation) -> None:
        if self.program.sizes[operation.output] == 0:
            return
        if isinstance(operation, Dense):
            self._dense(operation)
        elif isinstance(operation, Binary):
            self.binary(operation)
        elif isinstance(operation, Map):
            self.map(operation)
        elif isinstance(operation, Concat):
            parts = [name for name in operation.inputs if self.program.sizes[name]]
            self._emit("CONCATENATION", operation.output, tuple(self._read(name) for name in parts))
        else:
            self._slice(operation)

    def binary(self, operation: Binary) -> None:
        """An elementwise operation."""
        sources = self._read(operation.left), self._read(operation.right)
        self._emit(BINARY[operation.kind], operation.output, sources)

    def map(self, operation: Map) -> None:
        """A function of each element."""
        self._emit(MAP[operation.kind], operation.output, (self._read(operation.input),))

    def _dense(self, operation: Dense) -> None:
        if operation.weight.shape[1] == 0:
            # Nothing to sum, as where a wiring has no recurrent synapse: LiteRT has no empty tensors.
            self._folded[operation.output] = operation.bias
            return
        sources = (self._read(operation.input), *self.weights(operation))
        self._emit("FULLY_CONNECTED", operation.output, sources)

    def _slice(self, operation: Slice) -> None:
        begin = np.array([0, operation.start], dtype=np.int32)
        size = np.array([1, operation.stop - operation.start], dtype=np.int32)
        indexes = tuple(
            self.builder.constant(f"{operation.output}/{name}", values, INDEX)
            for name, values in (("begin", begin), ("size", size))
        )
        self._emit("SLICE", operation.output, (self._read(operation.input), *indexes))

    def _emit(self, kind: str, output: str, inputs: tuple[int, ...]) -> None:
        self._index[output] = self._tensor(output)
        self.builder.add(kind, version(kind, self._dtype, output), inputs, self._index[output])

    def _tensor(self, name: str) -> int:
        return self.builder.tensor(name, (1, self.program.sizes[name]), self.format(name))

    def _read(self, name: str) -> int:
        if name not in self._index:
            values = self.stored(name, self._folded[name][None, :])
            self._index[name] = self.builder.constant(name, values, self.format(name))
        return self._index[name]
