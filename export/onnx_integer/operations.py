"""From the operations of a program to nodes."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from ltc_edge.export.onnx_integer.writer import GraphWriter
from ltc_edge.export.plan import QuantizationPlan
from ltc_edge.export.program import Binary, Concat, Dense, Map, Operation, Program, Slice

_BINARY = {"add": "Add", "sub": "Sub", "mul": "Mul", "div": "Div", "minimum": "Min", "maximum": "Max"}
_MAP = {"sigmoid": "Sigmoid", "tanh": "Tanh", "exp": "Exp", "abs": "Abs", "relu": "Relu"}

LEAST_DECAY = 2.0**-20
"""Where Bernoulli's function is 1 to within float32."""


class OperationWriter:
    """Writes operations one after the other.

    Args:
        writer: takes the nodes.
        program: where the operations are from.
        plan: of that program.
        names: what the graph calls a tensor, where that is not the program's name.
    """

    def __init__(
        self, writer: GraphWriter, program: Program, plan: QuantizationPlan, names: Mapping[str, str]
    ) -> None:
        self._writer, self._program, self._plan, self._names = writer, program, plan, names

    def name(self, tensor: str) -> str:
        """What the graph calls a tensor or constant of the program."""
        if tensor in self._program.constants:
            return self._writer.vector(tensor, self._program.constants[tensor], self._plan.tensors[tensor])
        return self._names.get(tensor, tensor)

    def write(self, operation: Operation, output: str) -> None:
        """Write ``operation``; the graph calls its result ``output``."""
        stage = self._program.stages[operation.output]
        inputs = [self.name(source) for source in operation.inputs]
        if isinstance(operation, Dense):
            self._dense(operation, inputs[0], output, stage)
        elif isinstance(operation, Binary):
            self._writer.node(_BINARY[operation.kind], inputs, output, stage)
        elif isinstance(operation, Concat):
            self._writer.node("Concat", inputs, output, stage, axis=1)
        elif isinstance(operation, Slice):
            ends = (operation.start, operation.stop, 1)
            bounds = [self._writer.constant(f"at_{end}", [end], np.int64) for end in ends]
            self._writer.node("Slice", [*inputs, *bounds], output, stage)
        else:
            self._map(operation, inputs[0], output, stage)

    def _dense(self, operation: Dense, source: str, output: str, stage: str) -> None:
        dense = self._plan.dense[operation.output]
        weight = self._writer.weight(operation, dense)
        if not dense.bias.any():
            # ONNX Runtime puts the addition that follows into the same kernel.
            self._writer.node("MatMul", [source, weight], output, stage)
            return
        bias = self._writer.constant(f"{weight.removesuffix('_weight')}_bias", dense.bias)
        self._writer.node("Gemm", [source, weight, bias], output, stage)

    def _map(self, operation: Map, source: str, output: str, stage: str) -> None:
        if operation.kind == "gelu":
            self._gelu(source, output, stage)
        elif operation.kind == "bernoulli":
            self._bernoulli(source, output, stage)
        else:
            self._writer.node(_MAP[operation.kind], [source], output, stage)

    def _gelu(self, x: str, output: str, stage: str) -> None:
        """``x·Φ(x)`` with the normal distribution's Φ; the operator Gelu is younger than the opset."""
        w = self._writer
        scaled = w.node("Mul", [x, w.constant("rsqrt2", math.sqrt(0.5))], f"{output}.scaled", stage)
        erf = w.node("Erf", [scaled], f"{output}.erf", stage)
        raised = w.node("Add", [erf, w.constant("one", 1.0)], f"{output}.raised", stage)
        half = w.node("Mul", [x, w.constant("half", 0.5)], f"{output}.half", stage)
        w.node("Mul", [half, raised], output, stage)

    def _bernoulli(self, x: str, output: str, stage: str) -> None:
        """``x / (e^x − 1)`` as ``x·σ(−x) / tanh(x/2)``: near 0, e^x − 1 would lose what x consists of."""
        w = self._writer
        # At 0 itself the quotient has no value; the smallest code is far from where it would matter.
        above = w.node("Max", [x, w.constant("least_decay", LEAST_DECAY)], f"{output}.above", stage)
        half = w.node("Mul", [above, w.constant("half", 0.5)], f"{output}.half", stage)
        rise = w.node("Tanh", [half], f"{output}.rise", stage)
        minus = w.node("Neg", [above], f"{output}.minus", stage)
        falling = w.node("Sigmoid", [minus], f"{output}.falling", stage)
        scaled = w.node("Mul", [above, falling], f"{output}.scaled", stage)
        w.node("Div", [scaled, rise], output, stage)


def moves_codes(operation: Operation, program: Program, plan: QuantizationPlan) -> bool:
    """Whether the results already are values of the output's 16-bit code, so that rounding is idle."""
    step = plan.tensors[operation.output].scale16
    compares = isinstance(operation, Binary) and operation.kind in ("minimum", "maximum")
    if not compares and not isinstance(operation, Slice | Concat):
        return False
    return all(
        source not in program.constants and plan.tensors[source].scale16 == step
        for source in operation.inputs
    )
