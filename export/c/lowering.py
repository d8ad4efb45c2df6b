"""From a program to the steps that C executes: see `steps`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

import numpy as np

from ltc_edge.controller import Controller
from ltc_edge.export.c.arithmetic import MOST_EXPONENT
from ltc_edge.export.c.lists import greatest_exponent, linear, synapse_sums
from ltc_edge.export.c.steps import (
    Elementwise,
    Join,
    Part,
    Repeat,
    Step,
    Steps,
    Substeps,
    SynapseSums,
)
from ltc_edge.export.lowering import lower_floating
from ltc_edge.export.ltc_bounds import StateBounds
from ltc_edge.export.program import STATE_OUT, Binary, Concat, Dense, Map, Operation, Slice

SECONDS = "elapsed.seconds"
"""The elapsed time once it is clamped, which the guard of every step does."""

ACTION = "readout.action"
_GUARDED = ("elapsed", "limit")
"""Stages that every controller has and that the generated guard does itself."""

_SUBSTEP = re.compile(r"(?:.*\.)?unfold_\d+(?=\.|$)")


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
    sizes = dict(program.sizes)
    steps = _steps(_unrolled(kept), sizes, bounds)
    used = {
        name
        for step in _flat(steps)
        if isinstance(step, Elementwise)
        for op in step.operations
        for name in op.inputs
    }
    constants = {
        name: values.astype(np.float32) for name, values in program.constants.items() if name in used
    }
    state = program.outputs[STATE_OUT]
    if controller.is_slew_limited:
        last = program.operations[-1]
        assert isinstance(last, Concat)
        state = last.inputs[0]
    return Steps(tuple(steps), sizes, constants, ACTION, state)


def _flat(steps: Sequence[Step]) -> list[Step]:
    """Every step, those inside of loops too."""
    return [inner for step in steps for inner in (_flat(step.body) if isinstance(step, Repeat) else (step,))]


def _unrolled(operations: list[Operation]) -> list[list[Operation]]:
    """The operations, those of each solver sub-step in a list of their own."""

    def key(operation: Operation) -> str:
        found = _SUBSTEP.match(operation.output)
        return found.group() if found else ""

    return [list(group) for _, group in groupby(operations, key)]


def _steps(groups: list[list[Operation]], sizes: dict[str, int], bounds: StateBounds) -> list[Step]:
    steps: list[Step] = []
    index = 0
    while index < len(groups):
        count = _alike(groups[index:]) if _SUBSTEP.match(groups[index][0].output) else 1
        plain = _fused(groups[index], sizes)
        last = groups[index + count - 1][-1].output
        carried = _carried(groups[index], groups[index + 1]) if count > 1 else None
        if carried is None:
            steps += plain
            index += 1
            continue
        inside = f"{last}_carried"
        sizes[inside] = sizes[last]
        body = _fused([_renamed(op, {carried: inside}) for op in groups[index]], sizes)
        repeat = Repeat(last, inside, carried, groups[index][-1].output, count, tuple(body))
        steps.append(_substeps(repeat, bounds) or repeat)
        index += count
    return steps


def _carried(first: list[Operation], second: list[Operation]) -> str | None:
    """What the first sub-step reads where the second one reads the first one's result."""
    result = first[-1].output
    for one, other in zip(first, second, strict=False):
        for a, b in zip(one.inputs, other.inputs, strict=False):
            if b == result:
                return a
    return None


def _alike(groups: list[list[Operation]]) -> int:
    """How many of the groups, from the first, are the same sub-step over and over."""
    if len(groups) < 2 or (carried := _carried(groups[0], groups[1])) is None:
        return 1
    first = _canonical(groups[0], carried)
    count = 1
    while count < len(groups) and _same(first, _canonical(groups[count], groups[count - 1][-1].output)):
        count += 1
    return count


def _canonical(operations: list[Operation], carried: str) -> list[Operation]:
    names = {op.output: f">{index}" for index, op in enumerate(operations)} | {carried: "<"}
    return [_renamed(op, names) for op in operations]


def _renamed(operation: Operation, names: dict[str, str]) -> Operation:
    def new(name: str) -> str:
        return names.get(name, name)

    output = new(operation.output)
    if isinstance(operation, Binary):
        return replace(operation, output=output, left=new(operation.left), right=new(operation.right))
    if isinstance(operation, Concat):
        return replace(operation, output=output, inputs=tuple(map(new, operation.inputs)))
    return replace(operation, output=output, input=new(operation.input))


def _same(first: list[Operation], second: list[Operation]) -> bool:
    if len(first) != len(second):
        return False
    return all(
        np.array_equal(a.weight, b.weight)
        and np.array_equal(a.bias, b.bias)
        and (a.output, a.input) == (b.output, b.input)
        if isinstance(a, Dense) and isinstance(b, Dense)
        else a == b
        for a, b in zip(first, second, strict=True)
    )


def _fused(operations: list[Operation], sizes: dict[str, int]) -> list[Step]:
    """Synapses fused, and neighbouring elementwise operations of one length joined."""
    steps: list[Step] = []
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


def _append(steps: list[Step], operation: Binary | Map, size: int) -> None:
    last = steps[-1] if steps else None
    if isinstance(last, Elementwise) and last.size == size:
        steps[-1] = Elementwise((*last.operations, operation), size)
    else:
        steps.append(Elementwise((operation,), size))


def _substeps(repeat: Repeat, bounds: StateBounds) -> Substeps | None:
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
        ):
            units = len(sums.numerator_bias)
            reach = np.maximum(np.abs(bounds.low), np.abs(bounds.high))[:units]
            clamped = greatest_exponent(sums.synapses, reach) > float(MOST_EXPONENT)
            return Substeps(repeat.output, repeat.start, c, n_in, d_in, sums.synapses, repeat.count, clamped)
    return None
