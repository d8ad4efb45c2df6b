"""Outcomes of one share of wrong labels over width: means and intervals over seeds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from ltc_edge.arrays import FloatArray
from ltc_edge.errors import require
from ltc_edge.evaluation.descent.outcome import Outcome, Point
from ltc_edge.evaluation.descent.sweep import Grid

SMALLEST = 1e-30
"""Errors below are taken for this: the rounding of a closed form is no figure."""


@dataclass(frozen=True)
class OverSeeds:
    """A figure over seeds.

    Attributes:
        mean: geometric for squared errors, which near the threshold differ by powers of ten; else plain.
        ci95: Student's interval of this mean.
    """

    mean: float
    ci95: tuple[float, float]


def over_seeds(values: FloatArray, *, logarithmic: bool) -> OverSeeds:
    """The mean of two values or more, ``[S]``, and its interval."""
    stats = require("scipy.stats", "train")
    taken = np.log(np.maximum(values, SMALLEST)) if logarithmic else values
    mean = taken.mean()
    reach = stats.t.ppf(0.975, len(taken) - 1) * taken.std(ddof=1) / np.sqrt(len(taken))
    low, centre, high = (
        float(np.exp(each) if logarithmic else each) for each in (mean - reach, mean, mean + reach)
    )
    return OverSeeds(centre, (low, high))


@dataclass(frozen=True, eq=False)
class Curve:
    """One share of wrong labels; arrays are ``[widths, seeds]``.

    Attributes:
        noise: the share.
        label_noise: mean error of the labels that are learned.
        widths, parameters: ascending, ``[widths]``.
        train_error, test_error: see `Outcome`.
        ridge_error: None for networks.
        lipschitz: lower and upper bounds, ``[widths, seeds, 2]``, or None.
        stopped: how many models ended how, a dictionary a width.
        logarithmic: whether errors are squares, to be compared by their ratio; otherwise they are shares.
    """

    noise: float
    label_noise: float
    widths: tuple[int, ...]
    parameters: tuple[int, ...]
    train_error: FloatArray
    test_error: FloatArray
    ridge_error: FloatArray | None
    lipschitz: FloatArray | None
    stopped: tuple[Mapping[str, int], ...]
    logarithmic: bool

    def summary(self, errors: FloatArray) -> list[OverSeeds]:
        """Mean and interval for each width."""
        return [over_seeds(row, logarithmic=self.logarithmic) for row in errors]


def make_curve(grid: Grid, outcomes: Mapping[Point, Outcome], noise: float, *, logarithmic: bool) -> Curve:
    """The curve of the outcomes with this share of wrong labels."""
    rows = [[outcomes[Point(width, noise, seed)] for seed in grid.seeds] for width in grid.widths]

    def table(value: Callable[[Outcome], object]) -> FloatArray:
        return np.array([[value(outcome) for outcome in row] for row in rows], dtype=np.float64)

    flat = [outcome for row in rows for outcome in row]
    has_ridge = all(outcome.ridge_error is not None for outcome in flat)
    has_bounds = all(outcome.lipschitz is not None for outcome in flat)
    return Curve(
        noise=noise,
        label_noise=float(np.mean([outcome.label_noise for outcome in flat])),
        widths=grid.widths,
        parameters=tuple(row[0].parameters for row in rows),
        train_error=table(lambda outcome: outcome.train_error),
        test_error=table(lambda outcome: outcome.test_error),
        ridge_error=table(lambda outcome: outcome.ridge_error) if has_ridge else None,
        lipschitz=table(lambda outcome: outcome.lipschitz) if has_bounds else None,
        stopped=tuple(_counted([outcome.stopped for outcome in row]) for row in rows),
        logarithmic=logarithmic,
    )


def _counted(names: list[str]) -> dict[str, int]:
    return {name: names.count(name) for name in sorted(set(names))}
