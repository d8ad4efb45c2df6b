"""A controller's quantised step over whole batches of sequences: what fine-tuning sees of the integers.

The arithmetic is that of `simulate16`, to the last bit. What does not depend on the state, the sensory
half of an LTC for instance, is computed for all steps at once.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from ltc_edge.arrays import FloatArray
from ltc_edge.controller import Controller
from ltc_edge.export.execute import Hook, ProgramBatch
from ltc_edge.export.program import DT, OBSERVATION, STATE_IN, STATE_OUT, Array, Program
from ltc_edge.export.quantize import QuantizedStep
from ltc_edge.export.simulate import with_integer_weights, with_rounded_constants

REQUESTED = "readout.action"
"""The action before its slew is limited; every program has a tensor of that name."""


class IntegerRollout:
    """The integers of one controller.

    Args:
        controller: whose step it is.
        quantized: that step, as its plan has it.
    """

    def __init__(self, controller: Controller, quantized: QuantizedStep) -> None:
        self.controller = controller
        self.coordinates = quantized.coordinates
        program = with_integer_weights(quantized.program, quantized.dense)
        program = with_rounded_constants(program, quantized.tensors)
        hook = _rounding({name: plan.scale16 for name, plan in quantized.tensors.items()})
        before, after, self._handed = _divided(program)
        self._before, self._after = ProgramBatch(before, hook), ProgramBatch(after, hook)
        self._following = program.outputs[STATE_OUT]

    def run(
        self, observation: FloatArray, dt_s: FloatArray, state: FloatArray | None = None
    ) -> tuple[Array, Array]:
        """Roll ``B`` sequences of ``T`` steps.

        Args:
            observation: raw sensor values, ``(B, T, I)``.
            dt_s: seconds before each step, ``(B, T)``.
            state: raw values ``(B, S)`` of the state, previous action included; None for a reset.

        Returns:
            Actions ``(B, T, M)`` within their limits, before their slew is limited, and the states after
            each step, ``(B, T, S)``, both in raw values that their codes stand for.
        """
        batch, length = dt_s.shape
        at = self.coordinates
        start = np.tile(self.controller.reset_state, (batch, 1)) if state is None else state
        held = at.state.to_fraction(start)
        actions = np.zeros((length, batch, len(at.action.span)))
        states = np.zeros((length, batch, len(at.state.span)))
        for step, given in enumerate(self._inputs(observation, dt_s)):
            tensors = self._after.tensors(given[OBSERVATION], given[DT], held, known=given)
            actions[step], states[step] = tensors[REQUESTED], tensors[self._following]
            held = states[step]
        limited = np.clip(at.action.to_raw(actions), *self.controller.limits)
        asked: Array = limited.swapaxes(0, 1)
        return asked, at.state.to_raw(states).swapaxes(0, 1)

    def _inputs(self, observation: FloatArray, dt_s: FloatArray) -> list[dict[str, Array]]:
        """What each step needs and does not depend on the state, by name."""
        at, timing = self.coordinates, self.controller.timing
        batch, length = dt_s.shape
        fractions = np.clip(at.observation.to_fraction(observation), -1.0, 1.0)
        elapsed = at.dt.to_fraction(np.clip(dt_s, timing.dt_min_s, timing.dt_max_s)[..., None])
        # Steps in front: each is then one block of memory.
        rows = fractions.swapaxes(0, 1).reshape(batch * length, -1)
        times = elapsed.swapaxes(0, 1).reshape(batch * length, 1)
        none = np.zeros((batch * length, 0))
        tensors = self._before.tensors(rows, times, none)
        names = self._handed | {OBSERVATION, DT}
        blocks = {name: tensors[name].reshape(length, batch, -1) for name in names}
        return [{name: block[step] for name, block in blocks.items()} for step in range(length)]


class IntegerBatch:
    """The integers as a policy over ``E`` episodes at once; see `rollout`."""

    def __init__(self, integers: IntegerRollout) -> None:
        self._integers = integers
        self._state: Array = integers.controller.reset_state[None]

    def reset(self, size: int) -> None:
        """Start ``size`` new episodes."""
        self._state = np.tile(self._integers.controller.reset_state, (size, 1))

    def step(self, observation: FloatArray, dt_s: FloatArray) -> FloatArray:
        """Actions ``(E, M)`` for raw observations ``(E, I)``, ``dt_s`` ``(E,)`` seconds after the last."""
        controller = self._integers.controller
        asked, states = self._integers.run(observation[:, None], dt_s[:, None], self._state)
        self._state = states[:, 0]
        if controller.is_slew_limited:
            low, high = controller.limits
            limited: FloatArray = np.clip(self._state[:, controller.cell.state_size :], low, high)
            return limited
        action: FloatArray = asked[:, 0]
        return action


def _rounding(scales: dict[str, float]) -> Hook:
    """`round16` of every tensor, without the detour over int16: scales are powers of two, so it is exact."""

    def rounded(name: str, values: Array) -> Array:
        scale = scales[name]
        codes: Array = np.rint(values * (1.0 / scale))
        np.maximum(codes, -32768.0, out=codes)
        np.minimum(codes, 32767.0, out=codes)
        codes *= scale
        return codes

    return rounded


def _divided(program: Program) -> tuple[Program, Program, set[str]]:
    """The operations that do not depend on the state, the others, and what the first hand to the second."""
    depend = {STATE_IN}
    for operation in program.operations:
        if depend.intersection(operation.inputs):
            depend.add(operation.output)
    before = tuple(o for o in program.operations if o.output not in depend)
    after = tuple(o for o in program.operations if o.output in depend)
    handed = {name for o in after for name in o.inputs} & {o.output for o in before}
    # An action may, in principle, depend on nothing that the state does.
    handed |= {REQUESTED, program.outputs[STATE_OUT]} - depend
    return (
        dataclasses.replace(program, operations=before),
        dataclasses.replace(program, operations=after),
        handed,
    )
