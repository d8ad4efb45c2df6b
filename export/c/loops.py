"""Solver sub-steps that are the same over and over, as loops: once for every arithmetic."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Generic, TypeVar

import numpy as np

from ltc_edge.export.program import Binary, Concat, Dense, Operation

S = TypeVar("S")

_SUBSTEP = re.compile(r"(?:.*\.)?unfold_\d+(?=\.|$)")


@dataclass(frozen=True, eq=False)
class Repeat(Generic[S]):
    """``body``, ``count`` times: it reads ``carried``, first ``start`` and then ``following``."""

    output: str
    carried: str
    start: str
    following: str
    count: int
    body: tuple[S, ...]


def steps_and_loops(
    operations: list[Operation], fuse: Callable[[list[Operation]], list[S]], sizes: dict[str, int]
) -> list[S | Repeat[S]]:
    """The steps that ``fuse`` makes of the operations, those of equal sub-steps inside of a loop.

    What a loop carries from one sub-step to the next is a vector of its own, called after the loop's
    result with ``_carried``; its length is added to ``sizes``.
    """
    groups = _groups(operations)
    steps: list[S | Repeat[S]] = []
    index = 0
    while index < len(groups):
        count = _alike(groups[index:]) if _SUBSTEP.match(groups[index][0].output) else 1
        carried = _carried(groups[index], groups[index + 1]) if count > 1 else None
        if carried is None:
            steps += fuse(groups[index])
            index += 1
            continue
        last = groups[index + count - 1][-1].output
        inside = f"{last}_carried"
        sizes[inside] = sizes[last]
        body = fuse([_renamed(op, {carried: inside}) for op in groups[index]])
        steps.append(Repeat(last, inside, carried, groups[index][-1].output, count, tuple(body)))
        index += count
    return steps


def flat(steps: Sequence[S | Repeat[S]]) -> list[S]:
    """Every step, those inside of loops too."""
    found: list[S] = []
    for step in steps:
        if isinstance(step, Repeat):
            found += step.body
        else:
            found.append(step)
    return found


def _groups(operations: list[Operation]) -> list[list[Operation]]:
    """The operations, those of each solver sub-step in a list of their own."""

    def key(operation: Operation) -> str:
        found = _SUBSTEP.match(operation.output)
        return found.group() if found else ""

    return [list(group) for _, group in groupby(operations, key)]


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
