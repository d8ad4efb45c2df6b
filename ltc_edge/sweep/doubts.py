"""Which places on a front rest on chance: seeds differ, and a mean of a few of them is not exact."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ltc_edge.sweep.front import Figure, TrialResult
from ltc_edge.sweep.objectives import Objective

SIGNIFICANCE = 0.05
"""Of each comparison; that there are many of them is not corrected for."""

COUNTED = ("count", "emulate")
"""Stages whose figures are exact for a given network: one seed is enough to tell them apart."""

Truth = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Doubt:
    """A place on the front that may be another's.

    Attributes:
        trial: whose.
        rival: who may dominate it: where the trial is ahead of the rival, that may be chance.
        mutual: whether the rival's place is as doubtful beside this trial: the two cannot be told apart.
    """

    trial: int
    rival: int
    mutual: bool


def doubts(front: Sequence[TrialResult], goals: Sequence[Objective]) -> list[Doubt]:
    """Every doubt about the members of a front, by their numbers."""
    if len(front) < 2:
        return []
    surely_ahead = np.zeros((len(front), len(front)), dtype=np.bool_)
    for goal in goals:
        surely_ahead |= _surely_better([result.figures[goal.name] for result in front], goal)
    doubtful = ~surely_ahead
    np.fill_diagonal(doubtful, False)
    return [
        Doubt(front[trial].number, front[rival].number, bool(doubtful[rival, trial]))
        for trial, rival in zip(*np.nonzero(doubtful), strict=True)
    ]


def _surely_better(figures: Sequence[Figure], goal: Objective) -> Truth:
    """Whether each figure is better than each other beyond chance, ``(trials, trials)``."""
    means = np.array([figure.mean for figure in figures])
    ahead = means[:, None] - means[None, :]
    if not goal.maximised:
        ahead = -ahead
    better: Truth = (ahead > 0) & _told_apart(figures, exact=goal.stage in COUNTED)
    return better


def _told_apart(figures: Sequence[Figure], *, exact: bool) -> Truth:
    """Whether two means differ by Welch's test (1947), ``(trials, trials)``.

    A single seed says nothing of how seeds differ: such a figure differs from others for certain where it
    is ``exact``, and never otherwise.
    """
    from scipy.stats import ttest_ind_from_stats

    means = np.array([figure.mean for figure in figures])[:, None]
    errors = np.array([_standard_error(figure, exact=exact) for figure in figures])[:, None]
    seeds = np.array([max(figure.n, 2) for figure in figures])[:, None]
    deviations = errors * np.sqrt(seeds)
    with np.errstate(invalid="ignore", divide="ignore"):  # no deviation at all, or an unknown one
        p = ttest_ind_from_stats(
            means, deviations, seeds, means.T, deviations.T, seeds.T, equal_var=False
        ).pvalue
    certain = (errors == 0) & (errors.T == 0)
    told: Truth = np.where(certain, means != means.T, p < SIGNIFICANCE)
    return told


def _standard_error(figure: Figure, *, exact: bool) -> float:
    """Infinite where it is unknown."""
    error = figure.standard_error
    return (0.0 if exact else np.inf) if error is None else error
