"""How much arithmetic one step of a controller is, by its parts, whatever executes it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np

from ltc_edge.controller import Controller
from ltc_edge.export.c.stages import STAGES, stage_of
from ltc_edge.export.lowering import lower_floating
from ltc_edge.export.program import Binary, Dense, Map, Operation, Program

SIGMOIDS = ("sigmoid", "tanh", "exp", "gelu")
"""Functions that are computed by a series or read from a table."""


@dataclass(frozen=True)
class Operations:
    """What a part of a step computes.

    Attributes:
        multiply_accumulates: multiplications, with or without a sum; those by weights that are not there are
            none.
        sigmoids: evaluations of the logistic function, of tanh, e^x or the normal distribution.
        divisions: by what is not a constant. A vector over one number is one division, and products.
    """

    multiply_accumulates: int = 0
    sigmoids: int = 0
    divisions: int = 0

    def __add__(self, other: Operations) -> Operations:
        return Operations(
            self.multiply_accumulates + other.multiply_accumulates,
            self.sigmoids + other.sigmoids,
            self.divisions + other.divisions,
        )

    def to_json(self) -> dict[str, int]:
        """The counts by name."""
        return asdict(self)


def operations(controller: Controller) -> Mapping[str, Operations]:
    """Operations of a step from raw readings to bounded actions, by part: those of `STAGES` that have any."""
    program = lower_floating(controller)
    found: dict[str, Operations] = defaultdict(Operations)
    for operation in program.operations:
        stage = program.stages[operation.output]
        # What is outside of all stages moves values, and computes none.
        if stage:
            found[stage_of(stage)] += _count(operation, program)
    return {stage: found[stage] for stage in STAGES if found[stage] != Operations()}


def _count(operation: Operation, program: Program) -> Operations:
    size = program.sizes[operation.output]
    match operation:
        case Dense(weight=weight):
            return Operations(multiply_accumulates=int(np.count_nonzero(weight)))
        case Binary(kind="mul"):
            return Operations(multiply_accumulates=size)
        case Binary(kind="div", right=divisor) if divisor not in program.constants:
            single = program.sizes[divisor] == 1 and size > 1
            return Operations(multiply_accumulates=size * single, divisions=1 if single else size)
        case Map(kind=kind) if kind in SIGMOIDS:
            return Operations(sigmoids=size)
    return Operations()
