"""Where each vector of a step lies in one scratch array; those that are never needed together share room."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ltc_edge.export.c.loops import Repeat
from ltc_edge.export.c.steps import Part


@dataclass(frozen=True)
class Buffers:
    """Offsets in elements by tensor, and the length of the array."""

    offsets: dict[str, int]
    size: int


def allocate(
    steps: Sequence[Any],
    reads: Callable[[Any], set[str]],
    makes: Callable[[Any, set[str]], list[tuple[str, int]]],
    results: Iterable[str],
) -> Buffers:
    """First fit, the longest vectors first; a vector's room is free after its last reader.

    Args:
        steps: in order.
        reads: names of the vectors that a step reads.
        makes: names and lengths of those it makes, of which only those in the given set are read.
        results: vectors that are needed after the last step.
    """
    owner = _owners(steps)
    last: dict[str, int] = {}
    for index, step in enumerate(steps):
        for name in reads(step):
            last[owner.get(name, name)] = index
    for name in results:
        last[owner.get(name, name)] = len(steps)
    wanted: list[_Room] = []
    for index, step in enumerate(steps):
        for name, size in makes(step, set(last)):
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


def _owners(steps: Iterable[Any]) -> dict[str, str]:
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
