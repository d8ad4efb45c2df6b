"""The graph of one step: raw values in, the program's operations, raw values out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnx
from onnx import TensorProto, helper

from ltc_edge.controller import Controller
from ltc_edge.export.float32 import at_least, at_most
from ltc_edge.export.lowering import lower_unit
from ltc_edge.export.onnx_integer.operations import OperationWriter, moves_codes
from ltc_edge.export.onnx_integer.repeats import DOMAIN, fold_substeps
from ltc_edge.export.onnx_integer.writer import GraphWriter
from ltc_edge.export.plan import QuantizationPlan
from ltc_edge.export.program import ACTION, DT, OBSERVATION, STATE_IN, STATE_OUT, Program

ROUND = "Round16"


@dataclass(frozen=True)
class Form:
    """What one of the two files needs of its reader."""

    kind: str
    opset: int
    ir_version: int
    integer: bool


class StepWriter:
    """Writes one step."""

    def __init__(self, form: Form, controller: Controller, plan: QuantizationPlan) -> None:
        self._form, self._controller, self._plan = form, controller, plan
        self._program: Program = lower_unit(controller, plan.coordinates)
        self._writer = GraphWriter()
        self._unrounded_count = 0
        self._names = {OBSERVATION: "observation.fraction", DT: "dt.fraction"}
        # The int8 graph's state is made of fractions inside and outside.
        self._names |= (
            {STATE_IN: "state_in.fraction"} if form.integer else {self._program.outputs[STATE_OUT]: STATE_OUT}
        )

    def graph(self) -> tuple[onnx.GraphProto, list[onnx.FunctionProto]]:
        """The graph and the functions that it calls."""
        self._inputs()
        self._operations()
        self._outputs()
        nodes, functions = fold_substeps(self._writer.nodes, [ACTION, STATE_OUT], self._form.opset)
        if self._form.integer:
            functions = [_round16(self._form.opset), *functions]
        sizes = self._program.sizes
        real, state = TensorProto.FLOAT, TensorProto.INT16 if self._form.integer else TensorProto.FLOAT
        graph = helper.make_graph(
            [*self._writer.setup, *nodes],
            "step",
            [
                helper.make_tensor_value_info("observation", real, [1, sizes[OBSERVATION]]),
                helper.make_tensor_value_info("dt", real, [1, 1]),
                helper.make_tensor_value_info("state_in", state, [1, sizes[STATE_IN]]),
            ],
            [
                helper.make_tensor_value_info(ACTION, real, [1, len(self._controller.actions)]),
                helper.make_tensor_value_info(STATE_OUT, state, [1, sizes[STATE_IN]]),
            ],
            self._writer.initializers,
            doc_string="raw sensor values and seconds in, bounded actions out; inside, fractions of ranges",
        )
        return graph, functions

    def _operations(self) -> None:
        """The program, each result rounded in the integer form."""
        operations = OperationWriter(self._writer, self._program, self._plan, self._names)
        for operation in self._program.operations:
            tensor = operation.output
            if self._form.integer and not moves_codes(operation, self._program, self._plan):
                real = self._unrounded()
                operations.write(operation, real)
                self._round(tensor, real)
            elif not self._form.integer and self._clips_before_slew(tensor):
                operations.write(operation, f"{tensor}.free")
                self._limit_fraction(tensor, f"{tensor}.free")
            else:
                operations.write(operation, self._of(tensor))

    def _unrounded(self) -> str:
        """A name for a result that only its rounding reads; there are many, so it is short."""
        self._unrounded_count += 1
        return f"r{self._unrounded_count}"

    def _of(self, tensor: str) -> str:
        return self._names.get(tensor, tensor)

    def _round(self, tensor: str, real: str) -> None:
        step = self._writer.step16(self._plan.tensors[tensor].scale16)
        stage = self._program.stages[tensor]
        self._writer.node(ROUND, [real, step], self._of(tensor), stage, domain=DOMAIN)

    def _inputs(self) -> None:
        """Raw values to fractions of the plan's coordinates."""
        w, seen, timing = self._writer, self._plan.coordinates.observation, self._controller.timing
        moved = w.node("Sub", ["observation", w.constant("observation_center", seen.center)], "moved", "")
        gain = w.constant("observation_gain", 1.0 / seen.span)
        within = w.constant("dt_min", timing.dt_min_s), w.constant("dt_max", timing.dt_max_s)
        elapsed = w.node("Clip", ["dt", *within], "elapsed", "")
        per_span = w.constant("dt_gain", 1.0 / self._plan.coordinates.dt.span)
        spread = w.node("Mul", [moved, gain], "spread", "")
        ends = w.constant("low", -1.0), w.constant("high", 1.0)
        if not self._form.integer:
            w.node("Clip", [spread, *ends], self._of(OBSERVATION), "")
            w.node("Mul", [elapsed, per_span], self._of(DT), "")
            return
        # An integer saturates by itself, but not every runtime casts a huge float to one well.
        self._round(OBSERVATION, w.node("Clip", [spread, *ends], self._unrounded(), ""))
        self._round(DT, w.node("Mul", [elapsed, per_span], self._unrounded(), ""))
        step = w.step16(self._plan.tensors[STATE_IN].scale16)
        whole = w.node("Cast", ["state_in"], "state_in.code", "", to=TensorProto.FLOAT)
        w.node("Mul", [whole, step], self._of(STATE_IN), "")

    def _outputs(self) -> None:
        """The action's fraction to its raw value within the limits, and the state to its codes."""
        w, acted = self._writer, self._plan.coordinates.action
        fraction, span = self._of(self._program.outputs[ACTION]), w.constant("action_span", acted.span)
        spread = w.node("Mul", [fraction, span], "spread_action", "")
        center = w.constant("action_center", acted.center)
        low, high = self._controller.limits
        limits = [("Min", "limit_high", at_most(high)), ("Max", "limit_low", at_least(low))]
        limits = [limit for limit in limits if np.isfinite(limit[2]).any()]
        names = [f"action.{kind}" for kind, _, _ in limits] + [ACTION]
        value = w.node("Add", [spread, center], names[0], "")
        for (kind, name, limit), output in zip(limits, names[1:], strict=True):
            value = w.node(kind, [value, w.constant(name, limit)], output, "")
        if self._form.integer:
            following = self._program.outputs[STATE_OUT]
            step, zero = w.step16(self._plan.tensors[following].scale16), w.constant("zero", 0, np.int16)
            w.node("QuantizeLinear", [self._of(following), step, zero], STATE_OUT, "")

    def _clips_before_slew(self, tensor: str) -> bool:
        """Whether a float tensor is the action before its slew limit: what it moves towards has limits."""
        low, high = self._controller.limits
        limited = bool(np.isfinite(low).any() or np.isfinite(high).any())
        return self._controller.is_slew_limited and limited and tensor == "readout.action"

    def _limit_fraction(self, tensor: str, free: str) -> None:
        """The limits are the ends of the action's fractions."""
        low, high = self._controller.limits
        w, stage = self._writer, self._program.stages[tensor]
        least = w.constant("least", np.where(np.isfinite(low), -1.0, -np.inf))
        most = w.constant("most", np.where(np.isfinite(high), 1.0, np.inf))
        below = w.node("Min", [free, most], f"{tensor}.below", stage)
        w.node("Max", [below, least], self._of(tensor), stage)


def _round16(opset: int) -> onnx.FunctionProto:
    """To the nearest 16-bit code, ties to even, saturating, and back.

    Back by Cast and Mul: where DequantizeLinear leads to a Gemm, onnxruntime by default quantises the
    float weights of that Gemm once more, and its activations to 8 bits.
    """
    nodes = [
        helper.make_node("Constant", [], ["zero"], value=helper.make_tensor("", TensorProto.INT16, [], [0])),
        helper.make_node("QuantizeLinear", ["x", "step", "zero"], ["code"]),
        helper.make_node("Cast", ["code"], ["whole"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["whole", "step"], ["y"]),
    ]
    return helper.make_function(
        DOMAIN,
        ROUND,
        ["x", "step"],
        ["y"],
        nodes,
        [helper.make_opsetid("", opset)],
        doc_string="to the nearest 16-bit code, ties to even, saturating",
    )
