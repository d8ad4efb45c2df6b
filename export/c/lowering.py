"""From a program to the steps that C executes in float32: see `steps`."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ltc_edge.controller import Controller
from ltc_edge.export.c.arithmetic import MOST_EXPONENT
from ltc_edge.export.c.lists import greatest_exponent, linear, synapse_sums
from ltc_edge.export.c.loops import Repeat, flat, steps_and_loops
from ltc_edge.export.c.steps import (
    Elementwise,
    FlatStep,
    Join,
    Part,
    Step,
    Steps,
    Substeps,
    SynapseSums,
)
from ltc_edge.export.lowering import lower_floating
from ltc_edge.export.ltc_bounds import StateBounds
from ltc_edge.export.program import STATE_OUT, Array, Binary, Concat, Dense, Map, Operation, Slice

SECONDS = "elapsed.seconds"
"""The elapsed time once it is clamped, which the guard of every step does."""

RATE, ONE = "elapsed.rate", "elapsed.one"
"""The inverse of the elapsed time, and what it is the inverse with."""

ACTION = "readout.action"
_GUARDED = ("elapsed", "limit")
"""Stages that every controller has and that the generated guard does itself."""


def lower_steps(controller: Controller, bounds: StateBounds) -> Steps:
    """The step of a controller from clamped time to unlimited actions.

    Args:
        controller: as the hub holds it.
        bounds: of the cell's state, as the guard checks them.

    Raises:
        FormatRefusedError: the controller has no floating form.
    """
    program = lower_floating(controller)
    kept = [op for op in program.operations if program.stages[op.output] not in _GUARDED]
    sizes = dict(program.sizes) | {RATE: 1, ONE: 1}
    kept = [new for op in kept for new in _by_rate(op, program.constants)]
    charges = {op.output: op.left for op in kept if isinstance(op, Binary) and op.right == RATE}
    steps: list[Step] = [
        (_substeps(step, bounds, charges) or step) if isinstance(step, Repeat) else step
        for step in steps_and_loops(kept, lambda operations: _fused(operations, sizes), sizes)
    ]
    inner: list[FlatStep] = flat(steps)
    used = {name for step in inner for name in _constants_of(step)}
    values = {**program.constants, ONE: np.ones(1)}
    constants = {name: value.astype(np.float32) for name, value in values.items() if name in used}
    state = program.outputs[STATE_OUT]
    if controller.is_slew_limited:
        last = program.operations[-1]
        assert isinstance(last, Concat)
        state = last.inputs[0]
    return Steps(tuple(steps), sizes, constants, ACTION, state)


def _by_rate(operation: Operation, constants: Mapping[str, Array]) -> tuple[Operation, ...]:
    """A constant over the elapsed time as a product with the inverse of the time, which is one number."""
    if isinstance(operation, Binary) and operation.kind == "div" and operation.right == SECONDS:
        assert operation.left in constants
        rate = Binary("div", RATE, ONE, SECONDS)
        return rate, Binary("mul", operation.output, operation.left, RATE)
    return (operation,)


def _constants_of(step: FlatStep) -> set[str]:
    """Names that a step reads from the parameters, among others."""
    if isinstance(step, Substeps):
        return {step.charge}
    if isinstance(step, Elementwise):
        return {name for operation in step.operations for name in operation.inputs}
    return set()


def _fused(operations: list[Operation], sizes: dict[str, int]) -> list[FlatStep]:
    """Synapses fused, and neighbouring elementwise operations of one length joined."""
    steps: list[FlatStep] = []
    index = 0
    while index < len(operations):
        operation = operations[index]
        sums = synapse_sums(tuple(operations[index : index + 4]))
        if sums is not None:
            steps.append(sums)
            index += 4
            continue
        if isinstance(operation, Binary | Map):
            _append(steps, operation, sizes[operation.output])
        elif isinstance(operation, Dense):
            steps.append(linear(operation))
        elif isinstance(operation, Slice):
            size = operation.stop - operation.start
            steps.append(Part(operation.output, operation.input, operation.start, size))
        else:
            steps.append(Join(operation.output, operation.inputs))
        index += 1
    return steps


def _append(steps: list[FlatStep], operation: Binary | Map, size: int) -> None:
    last = steps[-1] if steps else None
    if isinstance(last, Elementwise) and last.size == size:
        steps[-1] = Elementwise((*last.operations, operation), size)
    else:
        steps.append(Elementwise((operation,), size))


def _substeps(repeat: Repeat[FlatStep], bounds: StateBounds, charges: Mapping[str, str]) -> Substeps | None:
    """The fused solver's sub-steps as one kernel; None where the loop is another."""
    if len(repeat.body) != 3:
        return None
    before, sums, after = repeat.body
    if not (
        isinstance(before, Elementwise) and isinstance(sums, SynapseSums) and isinstance(after, Elementwise)
    ):
        return None
    if sums.numerator_bias.any() or sums.denominator_bias.any() or sums.input != repeat.carried:
        return None
    match before.operations, after.operations:
        case (
            (Binary("mul", charge, c, state), Binary("add", held, charge_again, n_in)),
            (
                Binary("add", n, n_sum, held_again),
                Binary("add", d, d_sum, d_in),
                Binary("div", _, n_again, d_again),
            ),
        ) if (
            (state, charge_again, held_again) == (repeat.carried, charge, held)
            and (n_sum, d_sum) == (sums.numerator, sums.denominator)
            and (n_again, d_again) == (n, d)
            and c in charges
        ):
            units = len(sums.numerator_bias)
            reach = np.maximum(np.abs(bounds.low), np.abs(bounds.high))[:units]
            clamped = greatest_exponent(sums.synapses, reach) > float(MOST_EXPONENT)
            return Substeps(
                repeat.output,
                repeat.start,
                charges[c],
                RATE,
                n_in,
                d_in,
                sums.synapses,
                repeat.count,
                clamped,
            )
    return None
