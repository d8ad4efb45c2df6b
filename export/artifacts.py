"""A controller's files: each format from the hub's controller and, for integers, the plan."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ltc_edge.controller import Controller
from ltc_edge.errors import FormatRefusedError, InputError, MissingExtraError
from ltc_edge.export.c import CSources, c_float32, c_int16
from ltc_edge.export.c.int16.guard import state_codes
from ltc_edge.export.c.names import default_c_name
from ltc_edge.export.c.packaging import package_files
from ltc_edge.export.formats import HUB, Format
from ltc_edge.export.hub.writer import hub_bytes
from ltc_edge.export.lowering import lower_floating, lower_unit
from ltc_edge.export.plan import QuantizationPlan
from ltc_edge.runtimes.codes import Interface


@dataclass(frozen=True, eq=False)
class Artifact:
    """One exported format.

    Attributes:
        form: the format.
        files: their content by path within a bundle: one file, or the folder of a format in C.
        interface: codes of its inputs and outputs.
        c_name: what the names of a format in C begin with; None for others.
    """

    form: Format
    files: Mapping[str, bytes]
    interface: Interface
    c_name: str | None = None

    @property
    def content(self) -> bytes:
        """The bytes of a format that is one file."""
        return self.files[self.form.file]

    @property
    def bytes(self) -> int:
        """Size of all of its files."""
        return sum(map(len, self.files.values()))

    def c_sources(self) -> CSources:
        """The sources of a format in C, without what packages them."""
        assert self.c_name is not None
        return sources_of_folder(self.c_name, self.form, self.files)


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
    form: Format,
    controller: Controller,
    plan: QuantizationPlan | Refusal | None,
    c_name: str | None = None,
) -> Artifact | Refusal:
    """The file of one format, or why there is none.

    Args:
        form: the format.
        controller: as read from the hub.
        plan: needed by integer formats; or why there is none.
        c_name: what names in C begin with; made of the controller's where not given.
    """
    if form.arithmetic == "float32":
        plan = None
    if isinstance(plan, Refusal):
        return Refusal(form, plan.reason, plan.detail)
    try:
        return _write(form, controller, plan, c_name)
    except FormatRefusedError as refused:
        return Refusal(form, refused.reason, str(refused))
    except MissingExtraError as missing:
        return Refusal(form, missing.reason, str(missing))
    except InputError as error:
        return Refusal(form, "unsupported", str(error))


def _write(
    form: Format, controller: Controller, plan: QuantizationPlan | None, c_name: str | None
) -> Artifact:
    if form is HUB:
        return _single(form, hub_bytes(controller), Interface.floating(controller))
    if form.runtime == "c":
        return _c(form, controller, plan, c_name)
    if plan is None:
        from ltc_edge.export.litert import floating_model

        interface = Interface.floating(controller)
        content = floating_model(lower_floating(controller), interface, description(controller))
        return _single(form, content, interface)
    if form.runtime == "onnx":
        return _onnx(form, controller, plan)
    from ltc_edge.export.litert import integer_interface, integer_model

    program = lower_unit(controller, plan.coordinates)
    bits, division = _LITERT[form.name]
    interface = integer_interface(program, plan, controller.reset_state, bits)
    content = integer_model(program, plan, interface, description(controller), bits=bits, division=division)
    return _single(form, content, interface)


def _single(form: Format, content: bytes, interface: Interface) -> Artifact:
    return Artifact(form, {form.file: content}, interface)


def _c(form: Format, controller: Controller, plan: QuantizationPlan | None, c_name: str | None) -> Artifact:
    name = c_name or default_c_name(controller.name)
    interface = Interface.floating(controller)
    if plan is None:
        sources = c_float32(controller, name)
    else:
        sources = c_int16(controller, plan, name)
        interface = dataclasses.replace(interface, state=state_codes(plan))
    files = {f"{form.file}/{path}": content for path, content in package_files(sources, controller).items()}
    return Artifact(form, files, interface, name)


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
    return _single(form, model.SerializeToString(deterministic=True), interface)


def sources_of_folder(name: str, form: Format, files: Mapping[str, bytes]) -> CSources:
    """The C sources among the files of a format's folder."""
    start = f"{form.file}/src/"
    sources = {
        path.removeprefix(start): content
        for path, content in files.items()
        if path.startswith(start) and path.endswith((".c", ".h"))
    }
    return CSources(name, sources, "float32" if form.arithmetic == "float32" else "int16")


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
