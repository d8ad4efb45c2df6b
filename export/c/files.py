"""A float32 controller in C99 as a set of files."""

from __future__ import annotations

from importlib import resources

from ltc_edge.controller import Controller
from ltc_edge.export.c.body import Body
from ltc_edge.export.c.bounds import proved_bounds
from ltc_edge.export.c.golden import golden
from ltc_edge.export.c.guard import guard_of
from ltc_edge.export.c.header import Interface, header
from ltc_edge.export.c.lowering import SECONDS, lower_steps
from ltc_edge.export.c.parameters import ParameterBlock
from ltc_edge.export.c.scratch import allocate
from ltc_edge.export.c.source import add_guard, source
from ltc_edge.export.c.sources import CSources
from ltc_edge.export.c.text import check_name
from ltc_edge.export.program import OBSERVATION, STATE_IN

HEADERS = ("ltc_f32.h", "ltc_f32_arithmetic.h")
_KERNEL_HEADERS = {
    "ltc_synapse_sums_f32": "ltc_synapse_kernel.h",
    "ltc_substeps_f32": "ltc_synapse_kernel.h",
    "ltc_substeps_clamped_f32": "ltc_synapse_kernel.h",
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
    body = Body(steps, ParameterBlock(), allocate(steps), places)
    body.write()
    add_guard(body, guard)
    interface = Interface(
        name,
        controller.cell.inputs,
        len(controller.actions),
        controller.cell.state_size,
        controller.is_slew_limited,
    )
    texts = {
        f"{name}.h": header(controller, interface),
        f"{name}.c": source(controller.name, interface, body, guard, golden(controller, steps, guard)),
    }
    files = {file: text.encode("ascii") for file, text in texts.items()}
    files |= {file: runtime_file(file) for file in sorted(_runtime(body.kernels))}
    return CSources(name, files, "float32")


def _runtime(kernels: set[str]) -> set[str]:
    extra = {_KERNEL_HEADERS[kernel] for kernel in kernels if kernel in _KERNEL_HEADERS}
    return {*HEADERS, *extra, *(f"{kernel}.c" for kernel in kernels)}


def runtime_file(name: str) -> bytes:
    """A file of the runtime, which the package brings along."""
    return resources.files("ltc_edge.export.c").joinpath("runtime", name).read_bytes()
