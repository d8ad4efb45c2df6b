"""Fewer and larger operators for float32, with the same numbers.

At this size a step's time is the number of operators, and a FULLY_CONNECTED costs more than a SLICE:
joining those that read one tensor took a sixth off an LTC's step.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np

from ltc_edge.export.program import Array, Dense, Operation, Program, Slice

WIDEST = 256
"""Largest tensor that is read whole, with zero weights, rather than sliced first."""


def fused(program: Program) -> Program:
    """``program`` with slices taken into weights, and dense operations of one input joined."""
    return _joined(_widened(program))


def _widened(program: Program) -> Program:
    """Dense operations that read the source of a slice instead."""
    slices = {o.output: o for o in program.operations if isinstance(o, Slice)}

    def widened(operation: Operation) -> Operation:
        if not isinstance(operation, Dense) or operation.input not in slices:
            return operation
        part = slices[operation.input]
        size = program.sizes[part.input]
        if size > WIDEST:
            return operation
        weight = np.zeros((len(operation.bias), size))
        weight[:, part.start : part.stop] = operation.weight
        return Dense(operation.output, part.input, weight, operation.bias)

    return dataclasses.replace(program, operations=tuple(widened(o) for o in program.operations))


def _joined(program: Program) -> Program:
    """Dense operations that read one tensor, as one; slices give its parts their names."""
    groups: dict[str, list[Dense]] = {}
    for dense in program.dense():
        groups.setdefault(dense.input, []).append(dense)
    operations: list[Operation] = []
    sizes = dict(program.sizes)
    for operation in program.operations:
        if not isinstance(operation, Dense) or len(groups[operation.input]) == 1:
            operations.append(operation)
            continue
        group = groups[operation.input]
        if operation is group[0]:
            joined = _join(group)
            sizes[joined.output] = len(joined.bias)
            operations += [joined, *_parts(joined.output, group)]
    stages: Mapping[str, str] = {name: program.stages.get(name, "") for name in sizes}
    return dataclasses.replace(program, operations=tuple(operations), sizes=sizes, stages=stages)


def _join(group: list[Dense]) -> Dense:
    last = group[-1].output.rpartition(".")[2]
    weight: Array = np.concatenate([d.weight for d in group])
    bias: Array = np.concatenate([d.bias for d in group])
    return Dense(f"{group[0].output}_to_{last}", group[0].input, weight, bias)


def _parts(joined: str, group: list[Dense]) -> list[Slice]:
    ends = np.cumsum([len(d.bias) for d in group]).tolist()
    starts = [0, *ends[:-1]]
    return [Slice(d.output, joined, a, b) for d, a, b in zip(group, starts, ends, strict=True) if a < b]
