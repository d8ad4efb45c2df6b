"""From a program to the steps that C executes in float32: see `steps`."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ltc_edge.controller import Controller
from ltc_edge.export.c.lists import linear, synapse_sums
from ltc_edge.export.c.loops import Repeat, flat, steps_and_loops
from ltc_edge.export.c.steps import (
    Elementwise,
    ExponentialSubsteps,
    FlatStep,
    Join,
    Part,
    Step,
    Steps,
    Substeps,
)
from ltc_edge.export.c.substeps import LOG2E_UNIT, ONE, RATE, SECONDS, SubstepFinder
from ltc_edge.export.lowering import lower_floating
from ltc_edge.export.ltc_bounds import StateBounds
from ltc_edge.export.program import STATE_OUT, Array, Binary, Concat, Dense, Map, Operation, Slice

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
    finder = SubstepFinder(kept, bounds)
    steps: list[Step] = [
        finder.found(step) if isinstance(step, Repeat) else step
        for step in steps_and_loops(kept, lambda operations: _fused(operations, sizes), sizes)
    ]
    steps = [kept_step for step in steps if (kept_step := _without(step, finder.replaced)) is not None]
    inner: list[FlatStep] = flat(steps)
    used = {name for step in inner for name in _constants_of(step)}
    values = {**program.constants, ONE: np.ones(1)}
    values |= {slope: LOG2E_UNIT * values[constant] for slope, constant in finder.slopes.items()}
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
    if isinstance(step, ExponentialSubsteps):
        return {step.slope}
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


def _without(step: Step, tensors: set[str]) -> Step | None:
    """A step without what makes ``tensors``; None where nothing is left of it."""
    if not isinstance(step, Elementwise):
        return step
    operations = tuple(operation for operation in step.operations if operation.output not in tensors)
    return Elementwise(operations, step.size) if operations else None


def _append(steps: list[FlatStep], operation: Binary | Map, size: int) -> None:
    last = steps[-1] if steps else None
    if isinstance(last, Elementwise) and last.size == size:
        steps[-1] = Elementwise((*last.operations, operation), size)
    else:
        steps.append(Elementwise((operation,), size))
