"""An int16 controller in C99 as a set of files."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ltc_edge.arrays import FloatArray
from ltc_edge.controller import Controller
from ltc_edge.export.c.arithmetic import Float32, maximum, minimum
from ltc_edge.export.c.files import with_runtime
from ltc_edge.export.c.golden import golden
from ltc_edge.export.c.header import Interface, header
from ltc_edge.export.c.int16.arithmetic import ONE, Int
from ltc_edge.export.c.int16.body import Body
from ltc_edge.export.c.int16.dataflow import allocate_codes, allocate_drives
from ltc_edge.export.c.int16.emulate import run_steps
from ltc_edge.export.c.int16.guard import CodeGuard, code_guard, decode, encode, state_codes
from ltc_edge.export.c.int16.lowering import lower_steps
from ltc_edge.export.c.int16.overflow import Interval, Proof, prove
from ltc_edge.export.c.int16.step import HEADERS, add_guard, declarations, step_i16
from ltc_edge.export.c.int16.steps import Int16, Rates, Sensory, Steps
from ltc_edge.export.c.int16.synapses import UNIT
from ltc_edge.export.c.loops import flat
from ltc_edge.export.c.names import check_name
from ltc_edge.export.c.parameters import ParameterBlock
from ltc_edge.export.c.source import KERNELS, source
from ltc_edge.export.c.sources import CSources
from ltc_edge.export.plan import QuantizationPlan
from ltc_edge.export.program import DT, OBSERVATION, STATE_IN

_NEEDS = {
    "ltc_dense_i16": ("ltc_row_kernel_i16.h",),
    "ltc_sparse_i16": ("ltc_row_kernel_i16.h",),
    "ltc_sensory_i16": ("ltc_synapse_kernel_i16.h",),
    "ltc_substeps_i16": ("ltc_substep_kernel_i16.h", "ltc_listen_i16.c"),
    "ltc_substeps_clamped_i16": ("ltc_substep_kernel_i16.h", "ltc_listen_clamped_i16.c"),
    "ltc_substeps_exponential_i16": ("ltc_exponential_kernel_i16.h", "ltc_listen_exponential_i16.c"),
    "ltc_substeps_exponential_clamped_i16": (
        "ltc_exponential_kernel_i16.h",
        "ltc_listen_exponential_clamped_i16.c",
    ),
}


class Int16Emulator:
    """A generated int16 controller on valid inputs, in NumPy.

    Args:
        steps: its steps.
        guard: its codes and limits.
    """

    def __init__(self, steps: Steps, guard: CodeGuard) -> None:
        self._steps, self._guard = steps, guard
        self.state: Int16 = guard.initial_state.copy()

    def step(self, observation: Float32, dt: np.float32) -> Float32:
        """The action ``(M,)`` for an observation ``(I,)``, all float32."""
        guard = self._guard
        low, high = guard.raw.dt_range[:1], guard.raw.dt_range[1:]
        seconds = minimum(maximum(np.atleast_1d(dt), low), high)
        codes = encode(observation, guard.observation_center, guard.observation_gain)
        acted = self.step_codes(codes, encode(seconds, guard.dt_center, guard.dt_gain))
        action = decode(acted, guard.action_center, guard.action_span)
        return maximum(minimum(action, guard.raw.action_high), guard.raw.action_low)

    def step_codes(self, observation: Int16, dt: Int16) -> Int16:
        """The codes of the action ``(M,)`` for those of an observation ``(I,)`` and of dt ``(1,)``."""
        low, high = self._guard.dt_codes
        inputs = {OBSERVATION: observation, DT: np.clip(dt, low, high), STATE_IN: self.state}
        tensors = run_steps(self._steps, {name: codes.astype(np.int64) for name, codes in inputs.items()})
        self.state = tensors[self._steps.state].astype(np.int16)
        return tensors[self._steps.action].astype(np.int16)


def prove_steps(steps: Steps, guard: CodeGuard) -> Proof:
    """The proof that nothing in ``steps`` overflows, from every code that its inputs can have.

    Raises:
        FormatRefusedError: it cannot be proved.
    """
    low, high = (int(code) for code in guard.dt_codes)
    return prove(
        steps,
        {
            OBSERVATION: Interval.codes(len(guard.observation_center)),
            DT: Interval.codes(1, low, high),
            STATE_IN: Interval.codes(len(guard.initial_state)),
        },
    )


def tensors_int16(
    controller: Controller, plan: QuantizationPlan, inputs: Mapping[str, Float32]
) -> dict[str, FloatArray]:
    """Every tensor of a step of the C of `c_int16`, as fractions, by the names of the unit program.

    ``inputs`` are observation, dt within its range, and state, in raw values.
    """
    steps = lower_steps(controller, plan)
    guard = code_guard(controller, plan, steps)
    codes = {
        OBSERVATION: encode(inputs[OBSERVATION], guard.observation_center, guard.observation_gain),
        DT: encode(inputs[DT], guard.dt_center, guard.dt_gain),
        STATE_IN: state_codes(plan).encode(inputs[STATE_IN]),
    }
    tensors = run_steps(steps, {name: values.astype(np.int64) for name, values in codes.items()})
    found = {
        name: values * 2.0 ** -steps.bits[name] for name, values in tensors.items() if name in steps.bits
    }
    return found | _of_the_plan(steps, tensors)


def _of_the_plan(steps: Steps, tensors: Mapping[str, Int]) -> dict[str, FloatArray]:
    """What C has in a unit of conductance of its own, in that of the plan: drives and rates of an LTC."""
    drives = [step for step in flat(list(steps.steps)) if isinstance(step, Sensory)]
    found: dict[str, FloatArray] = {}
    for drive in drives:
        scale = UNIT * 2.0 ** -(15 + drive.synapses.weight_bits)
        found |= {name: tensors[name] * scale for name in (drive.numerator, drive.denominator)}
    for step in flat(list(steps.steps)):
        if isinstance(step, Rates) and drives:
            moved = tensors[step.output] / ONE
            found[step.output] = moved / (UNIT - (UNIT - 1.0) * moved)
    return found


def c_int16(controller: Controller, plan: QuantizationPlan, name: str) -> CSources:
    """A controller as C99 sources of 16-bit arithmetic: the same bytes every time.

    Args:
        controller: as read from the hub.
        plan: its quantisation plan.
        name: begins every name of its interface: ``<name>.h``, ``<name>_step`` and so on.

    Raises:
        InputError: the name cannot begin C identifiers.
        FormatRefusedError: the controller has no integer form, or a sum of it might overflow.
    """
    check_name(name)
    steps = lower_steps(controller, plan)
    guard = code_guard(controller, plan, steps)
    prove_steps(steps, guard)
    places = {OBSERVATION: "observation", DT: "elapsed", STATE_IN: "context->state"}
    body = Body(
        dict(steps.sizes),
        ParameterBlock(),
        allocate_codes(steps),
        places,
        bits=steps.bits,
        drives=allocate_drives(steps),
    )
    body.constants(dict(steps.constants))
    body.write(steps.steps)
    add_guard(body, guard)
    interface = Interface.of(controller, name, "int16")
    text = source(
        controller.name,
        interface,
        HEADERS,
        body.block,
        step_i16(interface, steps, body, guard),
        golden(controller, Int16Emulator(steps, guard)),
    )
    top = header(controller, interface, tuple(declarations(interface, guard)))
    return with_runtime(interface, top, text, HEADERS, body.kernels | KERNELS, _NEEDS)
