"""A controller's step in unit coordinates as ONNX, with integer weights or with integers throughout.

``onnx-int8`` stores weights in 8 bits and computes in float32. ``onnx-int16`` also rounds every tensor to
its 16-bit code, as microcontrollers and LiteRT do; its state is int16 outside too, so that it is carried
from step to step exactly. Both read raw sensor values and seconds, and give bounded actions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper

from ltc_edge.controller import Controller
from ltc_edge.export.lowering import lower_unit
from ltc_edge.export.onnx_integer.interface import (
    METADATA_KEY,
    int8_interface,
    int16_interface,
    metadata_json,
)
from ltc_edge.export.onnx_integer.operations import OperationWriter, moves_codes
from ltc_edge.export.onnx_integer.repeats import DOMAIN, DOMAIN_VERSION, fold_substeps
from ltc_edge.export.onnx_integer.writer import GraphWriter
from ltc_edge.export.plan import QuantizationPlan
from ltc_edge.export.program import (
    ACTION,
    DT,
    OBSERVATION,
    STATE_IN,
    STATE_OUT,
    Array,
    Program,
)
from ltc_edge.version import __version__

ROUND = "Round16"


@dataclass(frozen=True)
class _Form:
    """What one of the two files needs of its reader."""

    kind: str
    opset: int
    ir_version: int
    integer: bool


_INT8 = _Form("onnx-int8", 17, 8, integer=False)  # run by onnxruntime 1.15 and newer
_INT16 = _Form("onnx-int16", 21, 10, integer=True)  # onnxruntime 1.18: int16 in QuantizeLinear


def onnx_int8(
    controller: Controller, plan: QuantizationPlan, metadata: Mapping[str, Any]
) -> onnx.ModelProto:
    """The step with 8-bit weights and 16-bit constants, computed in float32.

    Inputs ``observation`` ``(1, I)`` and ``dt`` ``(1, 1)`` are raw values and seconds, ``state_in``
    ``(1, S)`` holds fractions of the state's bounds, all float32; so are ``action`` ``(1, M)``, raw and
    within its limits, and ``state_out`` ``(1, S)``. `int8_interface` says the same as data.

    Args:
        controller: what to write.
        plan: made for it.
        metadata: what else the file's document shall say: names, units, the period.

    Raises:
        InputError: the cell has no unit form.
    """
    return _model(_INT8, controller, plan, metadata)


def onnx_int16(
    controller: Controller, plan: QuantizationPlan, metadata: Mapping[str, Any]
) -> onnx.ModelProto:
    """The step with 8-bit weights and every tensor rounded to its 16-bit code.

    As `onnx_int8`, but ``state_in`` and ``state_out`` are int16: see `int16_interface`.

    Raises:
        InputError: the cell has no unit form.
    """
    return _model(_INT16, controller, plan, metadata)


def _model(
    form: _Form, controller: Controller, plan: QuantizationPlan, metadata: Mapping[str, Any]
) -> onnx.ModelProto:
    graph, functions = _StepWriter(form, controller, plan).graph()
    imports = [helper.make_opsetid("", form.opset)]
    if functions:
        imports.append(helper.make_opsetid(DOMAIN, DOMAIN_VERSION))
    model = helper.make_model(
        graph,
        functions=functions,
        opset_imports=imports,
        ir_version=form.ir_version,
        producer_name="ltc-edge",
        producer_version=__version__,
        domain=DOMAIN,
        doc_string=f"{controller.name}: one step, {form.kind}; state_out is the next step's state_in.",
    )
    interface = (int16_interface if form.integer else int8_interface)(controller, plan)
    model.metadata_props.add(key=METADATA_KEY, value=metadata_json(form.kind, interface, metadata))
    return model


class _StepWriter:
    """Writes one step."""

    def __init__(self, form: _Form, controller: Controller, plan: QuantizationPlan) -> None:
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
        operations = OperationWriter(self._writer, self._program, self._plan, self._names)
        for operation in self._program.operations:
            if self._form.integer and not moves_codes(operation, self._program, self._plan):
                real = self._unrounded()
                operations.write(operation, real)
                self._round(operation.output, real)
                continue
            clipped = self._clips_before_slew(operation.output)
            if clipped:
                free = f"{operation.output}.free"
                operations.write(operation, free)
                self._limit_fraction(operation.output, free)
            else:
                operations.write(operation, self._of(operation.output))
        self._outputs()
        nodes, functions = fold_substeps(self._writer.nodes, [ACTION, STATE_OUT], self._form.opset)
        if self._form.integer:
            functions = [_round16(self._form.opset), *functions]
        state_type = TensorProto.INT16 if self._form.integer else TensorProto.FLOAT
        sizes, controller = self._program.sizes, self._controller
        state = sizes[STATE_IN]
        graph = helper.make_graph(
            [*self._writer.setup, *nodes],
            "step",
            [
                helper.make_tensor_value_info("observation", TensorProto.FLOAT, [1, sizes[OBSERVATION]]),
                helper.make_tensor_value_info("dt", TensorProto.FLOAT, [1, 1]),
                helper.make_tensor_value_info("state_in", state_type, [1, state]),
            ],
            [
                helper.make_tensor_value_info(ACTION, TensorProto.FLOAT, [1, len(controller.actions)]),
                helper.make_tensor_value_info(STATE_OUT, state_type, [1, state]),
            ],
            self._writer.initializers,
            doc_string="raw sensor values and seconds in, bounded actions out; in between, fractions of ranges",
        )
        return graph, functions

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
        if not self._form.integer:
            spread = w.node("Mul", [moved, gain], "spread", "")
            w.node("Clip", [spread, w.constant("low", -1.0), w.constant("high", 1.0)], self._of(OBSERVATION), "")
            w.node("Mul", [elapsed, per_span], self._of(DT), "")
            return
        # An integer saturates by itself.
        self._round(OBSERVATION, w.node("Mul", [moved, gain], self._unrounded(), ""))
        self._round(DT, w.node("Mul", [elapsed, per_span], self._unrounded(), ""))
        step = w.step16(self._plan.tensors[STATE_IN].scale16)
        whole = w.node("Cast", ["state_in"], "state_in.code", "", to=TensorProto.FLOAT)
        w.node("Mul", [whole, step], self._of(STATE_IN), "")

    def _outputs(self) -> None:
        """The action's fraction to its raw value within the limits, and the state to its codes."""
        w, acted = self._writer, self._plan.coordinates.action
        spread = w.node(
            "Mul", [self._of(self._program.outputs[ACTION]), w.constant("action_span", acted.span)], "spread_action", ""
        )
        center = w.constant("action_center", acted.center)
        low, high = self._controller.limits
        limits = [("Min", "limit_high", _inwards(high, -np.inf)), ("Max", "limit_low", _inwards(low, np.inf))]
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


def _inwards(limit: Array, towards: float) -> Array:
    """Limits as the nearest float32 that is not beyond them."""
    rounded = limit.astype(np.float32)
    beyond = rounded > limit if towards < 0 else rounded < limit
    return np.where(beyond, np.nextafter(rounded, np.float32(towards)), rounded).astype(np.float64)
