"""Where each vector of a step lies in one scratch array; those that are never needed together share room."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ltc_edge.export.c.steps import (
    Elementwise,
    Join,
    Linear,
    Part,
    Repeat,
    Step,
    Steps,
    Substeps,
    SynapseSums,
)


@dataclass(frozen=True)
class Buffers:
    """Offsets in floats by tensor, and the length of the array."""

    offsets: dict[str, int]
    size: int


def allocate(steps: Steps) -> Buffers:
    """First fit, the longest vectors first; a vector's room is free after its last reader."""
    owner = _owners(steps.steps)
    last: dict[str, int] = {}
    for index, step in enumerate(steps.steps):
        for name in _reads(step):
            last[owner.get(name, name)] = index
    for name in (steps.action, steps.state):
        last[owner.get(name, name)] = len(steps.steps)
    wanted: list[_Room] = []
    for index, step in enumerate(steps.steps):
        for name, size in _makes(step, steps.sizes, set(last)):
            # What one step makes stays apart from all that it reads, and lives at least as long as the step.
            wanted.append(_Room(name, size, index, max(last.get(owner.get(name, name), index), index)))
    offsets: dict[str, int] = {}
    for room in sorted(wanted, key=lambda room: -room.size):
        others = [o for o in wanted if o.name in offsets and o.first <= room.last and room.first <= o.last]
        offsets[room.name] = _gap(
            sorted((offsets[o.name], offsets[o.name] + o.size) for o in others), room.size
        )
    return Buffers(offsets, max((offsets[room.name] + room.size for room in wanted), default=0))


@dataclass(frozen=True)
class _Room:
    """A vector, and the first and last step in which it is needed."""

    name: str
    size: int
    first: int
    last: int


def _gap(taken: list[tuple[int, int]], size: int) -> int:
    start = 0
    for low, high in taken:
        if start + size <= low:
            return start
        start = max(start, high)
    return start


def _owners(steps: Iterable[Step]) -> dict[str, str]:
    """The vector that a view or a loop's result lies in."""
    owner: dict[str, str] = {}
    for step in steps:
        if isinstance(step, Part):
            owner[step.output] = owner.get(step.input, step.input)
        elif isinstance(step, Repeat):
            owner[step.output] = step.carried
            owner |= {
                name: step.carried if base == step.carried else base
                for name, base in _owners(step.body).items()
            }
    return owner


def _reads(step: Step) -> set[str]:
    if isinstance(step, Linear | Part | SynapseSums):
        return {step.input}
    if isinstance(step, Substeps):
        return {step.state, step.c, step.numerator, step.denominator}
    if isinstance(step, Elementwise):
        made = {operation.output for operation in step.operations}
        return {name for operation in step.operations for name in operation.inputs} - made
    if isinstance(step, Join):
        return set(step.inputs)
    return {step.start, step.carried, step.following} | {name for s in step.body for name in _reads(s)}


def _makes(step: Step, sizes: dict[str, int], read: set[str]) -> list[tuple[str, int]]:
    """Vectors that a step makes, with their lengths; what stays within an elementwise loop is none."""
    if isinstance(step, Part):
        return []
    if isinstance(step, SynapseSums):
        return [(step.numerator, sizes[step.numerator]), (step.denominator, sizes[step.denominator])]
    if isinstance(step, Substeps):
        return [(step.output, 2 * sizes[step.output])]  # sub-steps take turns between two halves
    if isinstance(step, Elementwise):
        return [(op.output, step.size) for op in step.operations if op.output in read]
    if isinstance(step, Repeat):
        inner = [made for s in step.body for made in _makes(s, sizes, read)]
        return [(step.carried, sizes[step.carried]), *inner]
    return [(step.output, sizes[step.output])]
