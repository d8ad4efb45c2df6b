"""What became of the trials of a sweep, and which of them no other beats: the Pareto front.

A figure of a trial is the mean over its seeds. One trial dominates another where it is no worse in any goal
and better in one; the front is what is complete, within the budget, and dominated by nothing that is.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ltc_edge.arrays import FloatArray
from ltc_edge.errors import InputError
from ltc_edge.sweep.budget import Budget, Limit
from ltc_edge.sweep.objectives import Objective
from ltc_edge.sweep.work import State


@dataclass(frozen=True)
class Figure:
    """A figure of a trial.

    Attributes:
        mean: over the seeds.
        low, high: Student's 95 % interval of the mean; None where a single seed allows none.
        n: how many seeds it is of.
    """

    mean: float
    low: float | None
    high: float | None
    n: int

    @property
    def standard_error(self) -> float | None:
        """Of the mean; None for a single seed."""
        if self.low is None or self.high is None:
            return None
        from scipy.stats import t

        return float((self.high - self.low) / 2 / t.ppf(0.975, self.n - 1))


def figure_over_seeds(values: Sequence[float]) -> Figure:
    """The figure of a trial whose seeds, one or more, gave ``values``.

    Raises:
        InputError: a value is not finite.
    """
    if not values or not all(math.isfinite(value) for value in values):
        raise InputError(f"a figure needs finite values, not {list(values)}")
    if len(values) == 1:
        return Figure(float(values[0]), None, None, 1)
    if min(values) == max(values):  # whose mean and deviation would be a rounding error off
        return Figure(float(values[0]), float(values[0]), float(values[0]), len(values))
    from ltc_edge.evaluation.descent.curve import over_seeds

    found = over_seeds(np.asarray(values, dtype=np.float64), logarithmic=False)
    return Figure(found.mean, *found.ci95, len(values))


@dataclass(frozen=True)
class Broken:
    """A limit of the budget that a trial does not keep.

    Attributes:
        limit: which.
        value: what the trial takes of it, the mean over its seeds; None where that was not measured.
    """

    limit: Limit
    value: float | None

    @property
    def excess(self) -> float:
        """How far beyond, as a share of the limit: see `Limit.violation`."""
        return self.limit.violation(self.value)


def broken_limits(budget: Budget, figures: Mapping[str, Figure]) -> tuple[Broken, ...]:
    """The limits of ``budget`` that ``figures`` break, in its order."""
    found = ((limit, figures.get(limit.name)) for limit in budget.limits)
    judged = (Broken(limit, None if figure is None else figure.mean) for limit, figure in found)
    return tuple(each for each in judged if each.excess > 0)


@dataclass(frozen=True)
class TrialResult:
    """What became of one trial.

    Attributes:
        number: in the study, from 0.
        settings: the point of the search space.
        state: see `State`; one that is not complete is on no front.
        reason: in one line, why it is not complete.
        figures: by name, all that were measured, not the goals alone.
        broken: what of the budget it does not keep.
        seconds: of work, over all its seeds.
        seeds: the training seeds that are complete.
        best_seed: the one to ship: the best return when training validated, which is not among `figures`.
        run_folder: of that seed, relative to the folder of the sweep, such as ``trials/0007/seed-1``.
    """

    number: int
    settings: Mapping[str, Any]
    state: State
    reason: str | None
    figures: Mapping[str, Figure]
    broken: tuple[Broken, ...]
    seconds: float
    seeds: tuple[int, ...]
    best_seed: int | None
    run_folder: str | None

    @property
    def feasible(self) -> bool:
        """Whether it is complete and keeps the budget."""
        return self.state == "complete" and not self.broken


def pareto_front(results: Sequence[TrialResult], goals: Sequence[Objective]) -> list[TrialResult]:
    """The feasible trials that no feasible trial dominates, by their numbers; equal ones are all there.

    Raises:
        InputError: a complete trial lacks a goal's figure, or it is not finite.
    """
    return [result for result, rank in ranked(results, goals) if rank == 0]


def ranked(results: Sequence[TrialResult], goals: Sequence[Objective]) -> list[tuple[TrialResult, int]]:
    """The feasible trials by their numbers, each with its rank.

    The front has rank 0; rank r is the front of what is left without the ranks below (non-dominated sorting,
    Deb et al. 2002).

    Raises:
        InputError: a complete trial lacks a goal's figure, or it is not finite.
    """
    feasible = sorted((result for result in results if result.feasible), key=lambda result: result.number)
    costs = np.array([[_cost(result, goal) for goal in goals] for result in feasible], dtype=np.float64)
    ranks = _ranks(costs.reshape(len(feasible), len(goals)))
    return list(zip(feasible, ranks, strict=True))


def _cost(result: TrialResult, goal: Objective) -> float:
    """The figure of ``goal``, turned so that less is better."""
    figure = result.figures.get(goal.name)
    if figure is None or not math.isfinite(figure.mean):
        what = "was not measured" if figure is None else f"is {figure.mean}"
        raise InputError(f"trial {result.number}: {goal.name} {what}; a front cannot be made with it")
    return -figure.mean if goal.maximised else figure.mean


def _ranks(costs: FloatArray) -> list[int]:
    """The rank of every row of ``costs``, ``(trials, goals)``, of which less is better.

    A rank is the length of the longest chain of rows each of which dominates the next (Mirsky 1971), and in
    lexicographic order whatever dominates a row stands before it; its first column need not be compared.
    """
    if not len(costs):
        return []
    rows, place = np.unique(costs + 0.0, axis=0, return_inverse=True)  # + 0.0: −0 is 0
    others = np.ascontiguousarray(rows.T[1:])
    ranks = np.zeros(len(rows), dtype=np.int64)
    for index in range(1, len(rows)):
        dominates = (others[:, :index] <= others[:, index, None]).all(axis=0)
        ranks[index] = ranks[:index][dominates].max(initial=-1) + 1
    return [int(rank) for rank in ranks[place.reshape(-1)]]
