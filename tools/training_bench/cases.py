"""What is timed: a cell, the batch and the length of the sequences it is run over, forwards and backwards."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, cast

from ltc_edge.cells.spec import Solver

Kind = Literal["ncp", "dense", "wired-cfc"]

INPUTS, OUTPUTS = 8, 4
"""Of every case; motor neurons are outputs."""
SEED = 22222
_NAME = re.compile(
    r"(ncp|dense|wired-cfc)([1-9]\d{0,3}):([1-9]\d{0,5}):([1-9]\d{0,5})(?::(fused|exponential|euler|rk4)-(\d{1,3}))?"
)


@dataclass(frozen=True)
class Case:
    """One row of the benchmark, named as ``ncp19:32:128``, with ``:rk4-6`` where it is not solved as in ncps.

    Attributes:
        kind: the wiring of an LTC, or a wired CfC.
        units, batch, length: neurons, sequences, steps of each.
        solver, unfolds: of our LTC. ncps has the fused solver alone; where another one is asked for, it runs
            its default of 6 sub-steps beside it.
    """

    kind: Kind
    units: int
    batch: int
    length: int
    solver: Solver = "fused"
    unfolds: int = 6

    @property
    def name(self) -> str:
        """As `parse` reads it."""
        plain = f"{self.kind}{self.units}:{self.batch}:{self.length}"
        return plain if self.like_ncps else f"{plain}:{self.solver}-{self.unfolds}"

    @property
    def like_ncps(self) -> bool:
        """Whether ncps computes the same numbers."""
        return (self.solver, self.unfolds) == ("fused", 6)

    @classmethod
    def parse(cls, name: str) -> Case:
        """The case of a name.

        Raises:
            ValueError: it is not one.
        """
        match = _NAME.fullmatch(name)
        if match is None:
            raise ValueError(f"{name!r} is no case; write one as ncp19:32:128 or ncp19:32:128:exponential-3")
        kind, units, batch, length, solver, unfolds = match.groups()
        if solver is not None and kind == "wired-cfc":
            raise ValueError(f"{name!r}: a CfC has no solver")
        sizes = int(units), int(batch), int(length)
        return cls(cast(Kind, kind), *sizes, cast(Solver, solver or "fused"), int(unfolds or 6))


CASES = tuple(
    Case.parse(name)
    for name in ("ncp19:32:128", "ncp32:128:128", "dense32:128:512", "dense64:128:128", "wired-cfc32:128:128")
)
"""What there are figures to reach for."""

MEMORY_CASE = Case.parse("dense64:32:512")

MORE_CASES = tuple(
    Case.parse(name)
    for name in (
        "ncp19:1:128",
        "ncp19:8:128",
        "ncp19:128:128",
        "ncp19:32:16",
        "ncp19:32:1024",
        "ncp64:32:128",
        "ncp64:128:128",
        "dense9:96:16",
        "dense16:32:128",
        "dense32:1:128",
        "dense32:8:128",
        "dense32:32:128",
        "wired-cfc32:8:128",
        "wired-cfc64:128:128",
        "ncp19:32:128:fused-3",
        "ncp19:32:128:exponential-3",
        "ncp19:32:128:euler-6",
        "ncp19:32:128:rk4-6",
        "dense32:128:128:exponential-3",
    )
)
"""Other sizes, lengths, batches and solvers; ``dense9:96:16`` is what the default task trains on."""
