"""A finished sweep, as tables, pictures and documents show it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from ltc_edge.evaluation.descent.curve import Curve
from ltc_edge.evaluation.descent.outcome import Settings
from ltc_edge.evaluation.descent.subject import Subject
from ltc_edge.evaluation.descent.sweep import Grid
from ltc_edge.evaluation.descent.verdict import Verdict, judge
from ltc_edge.evaluation.sizing.dimension import Dimension


@dataclass(frozen=True, eq=False)
class Swept:
    """All that came of a sweep.

    Attributes:
        subject: what was learned.
        settings: of all models.
        grid: which models were made.
        curves: one for each share of wrong labels.
        dimension: effective dimension of a window; None where it cannot be told.
    """

    subject: Subject
    settings: Settings
    grid: Grid
    curves: Sequence[Curve]
    dimension: Dimension | None

    @property
    def labels(self) -> int:
        """``n·outputs``: the numbers that a seed has to fit."""
        return self.settings.windows * self.subject.outputs

    @property
    def n_d_eff(self) -> float | None:
        """``n·d_eff``: the parameters that the law of robustness asks for, up to a constant."""
        return None if self.dimension is None else self.settings.windows * self.dimension.estimate.value

    @cached_property
    def verdicts(self) -> list[Verdict]:
        """Of each curve."""
        return [judge(curve, self.labels) for curve in self.curves]

    @property
    def title(self) -> str:
        """Of tables and pictures."""
        return f"{self.subject.name}, {self.settings.cell}, n = {self.settings.windows} windows"
