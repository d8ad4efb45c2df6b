"""A float32 controller in C99 as a set of files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib import resources

from ltc_edge.controller import Controller
from ltc_edge.export.c.arithmetic import Float32
from ltc_edge.export.c.body import Body
from ltc_edge.export.c.bounds import proved_bounds
from ltc_edge.export.c.dataflow import allocate_floats
from ltc_edge.export.c.emulate import run_steps
from ltc_edge.export.c.golden import Float32Emulator, golden
from ltc_edge.export.c.guard import guard_of
from ltc_edge.export.c.header import Interface, header
from ltc_edge.export.c.lowering import lower_steps
from ltc_edge.export.c.names import check_name
from ltc_edge.export.c.parameters import ParameterBlock
from ltc_edge.export.c.source import KERNELS, source
from ltc_edge.export.c.sources import CSources
from ltc_edge.export.c.step_f32 import HEADERS, add_guard, step_f32
from ltc_edge.export.c.substeps import SECONDS
from ltc_edge.export.program import DT, OBSERVATION, STATE_IN

_NEEDS = {
    "ltc_synapse_sums_f32": ("ltc_synapse_kernel.h",),
    "ltc_substeps_f32": ("ltc_synapse_kernel.h",),
    "ltc_substeps_clamped_f32": ("ltc_synapse_kernel.h",),
    "ltc_substeps_exponential_f32": ("ltc_synapse_kernel.h", "ltc_exponential_kernel.h"),
    "ltc_substeps_exponential_clamped_f32": ("ltc_synapse_kernel.h", "ltc_exponential_kernel.h"),
}


def c_float32(controller: Controller, name: str) -> CSources:
    """A controller as C99 sources, with the parts of the runtime that it calls: the same bytes every time.

    Args:
        controller: as read from the hub.
        name: begins every name of its interface: ``<name>.h``, ``<name>_step`` and so on.

    Raises:
        InputError: the name cannot begin C identifiers.
        FormatRefusedError: the controller has no such form.
    """
    check_name(name)
    bounds = proved_bounds(controller)
    steps, guard = lower_steps(controller, bounds), guard_of(controller, bounds)
    places = {OBSERVATION: "observation", SECONDS: "seconds", STATE_IN: "context->state"}
    body = Body(steps.sizes, ParameterBlock(), allocate_floats(steps), places)
    body.constants(steps.constants)
    body.write(steps.steps)
    add_guard(body, guard)
    interface = Interface.of(controller, name, "float32")
    text = source(
        controller.name,
        interface,
        HEADERS,
        body.block,
        step_f32(interface, steps, body, guard),
        golden(controller, Float32Emulator(steps, guard)),
    )
    return with_runtime(
        interface, header(controller, interface), text, HEADERS, body.kernels | KERNELS, _NEEDS
    )


def tensors_float32(controller: Controller, inputs: Mapping[str, Float32]) -> dict[str, Float32]:
    """Every tensor of a step of the C of `c_float32`, by the names of the floating program.

    ``inputs`` are observation, dt within its range, and state, in raw values.
    """
    steps = lower_steps(controller, proved_bounds(controller))
    return run_steps(steps, {**inputs, SECONDS: inputs[DT]})


def with_runtime(
    interface: Interface,
    header_text: str,
    source_text: str,
    headers: Iterable[str],
    kernels: Iterable[str],
    needs: Mapping[str, Sequence[str]],
) -> CSources:
    """Header and source with the files of the runtime that they need.

    Args:
        interface: their interface.
        header_text, source_text: their text.
        headers: of the runtime, always needed.
        kernels: functions of the runtime that are called.
        needs: files that some of these need.
    """
    name = interface.name
    files = {f"{name}.h": header_text.encode("ascii"), f"{name}.c": source_text.encode("ascii")}
    extra = {file for kernel in kernels for file in needs.get(kernel, ())}
    runtime = sorted({*headers, *extra, *(f"{kernel}.c" for kernel in kernels)})
    return CSources(name, files | {file: runtime_file(file) for file in runtime}, interface.state_type)


def runtime_file(name: str) -> bytes:
    """A file of the runtime, which the package brings along."""
    return resources.files("ltc_edge.export.c").joinpath("runtime", name).read_bytes()
