"""Nodes and constants of a graph under construction; equal constants are stored once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from ltc_edge.export.plan import TensorPlan
from ltc_edge.export.program import Array, Dense
from ltc_edge.export.rounding import QuantizedDense
from ltc_edge.export.simulate import round16

CAST_OF_CONSTANT = 64
"""From this many values on, 16-bit storage saves more than the two nodes cost that widen it."""

SMALL_MATRIX = 256
"""Entries up to which a matrix with few non-zeros is stored whole."""


@dataclass(frozen=True, eq=False)
class Node:
    """A node and the stage of the program that it belongs to."""

    proto: onnx.NodeProto
    stage: str


class GraphWriter:
    """Collects what a graph is made of.

    Attributes:
        setup: nodes that turn stored integers into floats; ONNX Runtime runs them once, when it loads the
            file, so that a step reads plain float32 weights.
        nodes: nodes of the step.
        initializers: the stored constants.
    """

    def __init__(self) -> None:
        self.setup: list[onnx.NodeProto] = []
        self.nodes: list[Node] = []
        self.initializers: list[onnx.TensorProto] = []
        self._stored: dict[tuple[str, tuple[int, ...], bytes], str] = {}
        self._made: dict[tuple[Any, ...], str] = {}
        self._taken: set[str] = set()

    def node(self, kind: str, inputs: list[str], output: str, stage: str, **attributes: Any) -> str:
        """Add a node of the step; returns its output."""
        self.nodes.append(Node(helper.make_node(kind, inputs, [output], **attributes), stage))
        return output

    def constant(self, name: str, values: npt.ArrayLike, dtype: npt.DTypeLike = np.float32) -> str:
        """Store values and return the name to read them by: ``name``, or that of equal ones before."""
        # ascontiguousarray would make a vector of a number.
        array = np.array(values, dtype=dtype, order="C")
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self._stored:
            self._stored[key] = self._unused(name)
            self.initializers.append(numpy_helper.from_array(array, self._stored[key]))
        return self._stored[key]

    def vector(self, name: str, values: Array, plan: TensorPlan) -> str:
        """A constant of elementwise operations ``(n,)``, with the values that its 16-bit codes have."""
        name = _short(name)
        if len(values) < CAST_OF_CONSTANT:
            return self.constant(name, round16(values, plan))
        codes = np.rint(round16(values, plan) / plan.scale16)
        stored = self.constant(f"{name}_codes", codes, np.int16)
        return self._widened(name, stored, self.step16(plan.scale16))

    def step16(self, scale: float) -> str:
        """The value of one step of a 16-bit code, a power of two."""
        exponent = int(np.log2(scale))
        return self.constant(f"step_{'m' if exponent < 0 else ''}{abs(exponent)}", scale)

    def weight(self, operation: Dense, dense: QuantizedDense) -> str:
        """The matrix ``(k, n)`` that a row of inputs is multiplied by, made of stored integers."""
        name = _short(operation.output)
        values = np.ascontiguousarray(dense.values.T)
        used = (values != 0) | (operation.weight.T != 0)
        if values.size > SMALL_MATRIX and (used.sum(axis=0) <= 1).all():
            # One input an output: its integer times the output's scale is a single number.
            index = used.argmax(axis=0)
            gain = values[index, np.arange(len(index))] * dense.scale
            return self._setup("Mul", f"{name}_weight", self._selection(index, 0, len(values)), gain)
        scale = self.constant(f"{name}_scale", dense.scale)
        if values.size > SMALL_MATRIX and (used.sum(axis=1) <= 1).all():
            # One output an input, as for synapses that are summed by their target neuron.
            index = used.argmax(axis=1)
            column = values[np.arange(len(index)), index][:, None]
            selection = self._selection(index, 1, values.shape[1])
            stored = self.constant(f"{name}_integers", column, np.int8)
            return self._setup("Mul", f"{name}_weight", selection, self._widened(name, stored, scale))
        return self._widened(f"{name}_weight", self.constant(f"{name}_integers", values, np.int8), scale)

    def _selection(self, index: npt.NDArray[Any], axis: int, depth: int) -> str:
        """A matrix of zeros with one 1 for each entry of ``index``, a list of rows or of columns."""
        name = "source" if axis == 0 else "target"
        small = np.uint8 if depth <= 256 else np.uint16
        stored = self.constant(f"{name}_list", index, small)
        whole = self._setup("Cast", f"{name}_index", stored, to=TensorProto.INT64)
        size = self.constant(f"depth_{depth}", depth, np.int64)
        off_on = self.constant("off_on", [0.0, 1.0])
        return self._setup("OneHot", f"{name}_matrix", whole, size, off_on, axis=axis)

    def _widened(self, name: str, stored: str, scale: str) -> str:
        whole = self._setup("Cast", f"{name}_cast", stored, to=TensorProto.FLOAT)
        return self._setup("Mul", name, whole, scale)

    def _setup(self, kind: str, name: str, *inputs: str | Array, **attributes: Any) -> str:
        """A node made of constants, once for equal inputs."""
        names = [i if isinstance(i, str) else self.constant(f"{name}_gain", i) for i in inputs]
        key = (kind, *names, *attributes.items())
        if key not in self._made:
            self._made[key] = self._unused(name)
            self.setup.append(helper.make_node(kind, names, [self._made[key]], **attributes))
        return self._made[key]

    def _unused(self, name: str) -> str:
        count, free = 1, name
        while free in self._taken:
            count += 1
            free = f"{name}_{count}"
        self._taken.add(free)
        return free


def _short(name: str) -> str:
    """The last two parts of a program's name; of what sub-steps share, the last."""
    *stages, last = name.split(".")
    return last if not stages or stages[-1].startswith("unfold_") else f"{stages[-1]}_{last}"
