"""A controller's files: each format from the hub's controller and, for integers, the plan."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ltc_edge.controller import Controller
from ltc_edge.errors import FormatRefusedError, InputError, MissingExtraError
from ltc_edge.export.formats import HUB, Format
from ltc_edge.export.hub.writer import hub_bytes
from ltc_edge.export.lowering import lower_floating, lower_unit
from ltc_edge.export.plan import QuantizationPlan
from ltc_edge.runtimes.codes import Interface


@dataclass(frozen=True, eq=False)
class Artifact:
    """One exported file.

    Attributes:
        form: its format.
        content: its bytes.
        interface: codes of its inputs and outputs.
    """

    form: Format
    content: bytes
    interface: Interface


@dataclass(frozen=True)
class Refusal:
    """Why a controller has no file of a format.

    Attributes:
        form: the format.
        reason: code; ``docs/bundle-format.md`` lists them.
        detail: one line.
    """

    form: Format
    reason: str
    detail: str


def make_artifact(
    form: Format, controller: Controller, plan: QuantizationPlan | Refusal | None
) -> Artifact | Refusal:
    """The file of one format, or why there is none.

    Args:
        form: the format.
        controller: as read from the hub.
        plan: needed by integer formats; or why there is none.
    """
    if form.arithmetic == "float32":
        plan = None
    if isinstance(plan, Refusal):
        return Refusal(form, plan.reason, plan.detail)
    try:
        return _write(form, controller, plan)
    except FormatRefusedError as refused:
        return Refusal(form, refused.reason, str(refused))
    except MissingExtraError as missing:
        return Refusal(form, "needs-extra", str(missing))
    except InputError as error:
        return Refusal(form, "unsupported", str(error))


def _write(form: Format, controller: Controller, plan: QuantizationPlan | None) -> Artifact:
    if form is HUB:
        return Artifact(form, hub_bytes(controller), Interface.floating(controller))
    if plan is None:
        from ltc_edge.export.litert import floating_model

        interface = Interface.floating(controller)
        content = floating_model(lower_floating(controller), interface, description(controller))
        return Artifact(form, content, interface)
    if form.runtime == "onnx":
        return _onnx(form, controller, plan)
    from ltc_edge.export.litert import integer_interface, integer_model

    program = lower_unit(controller, plan.coordinates)
    bits, division = _LITERT[form.name]
    interface = integer_interface(program, plan, controller.reset_state, bits)
    content = integer_model(program, plan, interface, description(controller), bits=bits, division=division)
    return Artifact(form, content, interface)


_LITERT: Mapping[str, tuple[Any, Any]] = {
    "tflite-int16x8": (16, "integer"),
    "tflite-int16x8-legacy": (16, "float"),
    "tflite-int8": (8, "integer"),
}


def _onnx(form: Format, controller: Controller, plan: QuantizationPlan) -> Artifact:
    from ltc_edge.export import onnx_integer as writers

    if form.name == "onnx-int8":
        model = writers.onnx_int8(controller, plan, description(controller))
        interface = writers.int8_interface(controller, plan)
    else:
        model = writers.onnx_int16(controller, plan, description(controller))
        interface = writers.int16_interface(controller, plan)
    return Artifact(form, model.SerializeToString(deterministic=True), interface)


def description(controller: Controller) -> dict[str, Any]:
    """What a file says about itself: names, units, times and limits, as JSON; null for no limit."""
    timing = controller.timing

    def finite(value: float) -> float | None:
        return value if math.isfinite(value) else None

    return {
        "name": controller.name,
        "observations": [{"name": s.name, "unit": s.unit} for s in controller.observations],
        "actions": [
            {
                "name": s.name,
                "unit": s.unit,
                "low": finite(s.low),
                "high": finite(s.high),
                "slew": finite(s.slew),
            }
            for s in controller.actions
        ],
        "period_s": timing.period_s,
        "dt_range_s": [timing.dt_min_s, timing.dt_max_s],
        "fallback": controller.fallback.tolist(),
    }
