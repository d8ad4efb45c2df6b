"""A finished sweep: what was asked for, what became of its trials, and what follows from both."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from ltc_edge.sweep.budget import Budget
from ltc_edge.sweep.doubts import Doubt, doubts
from ltc_edge.sweep.front import TrialResult, broken_limits, ranked
from ltc_edge.sweep.objectives import Objective
from ltc_edge.sweep.pick import Pick, pick


@dataclass(frozen=True)
class Swept:
    """What a sweep asked for and found; whatever is shown or written of it follows from this.

    Attributes:
        task: its name, or that of the recordings.
        goals: what it strives for, the most important first.
        budget: what must be kept.
        target: where instructions and sizes were counted; None where they were not.
        results: of all trials, by their numbers.
    """

    task: str
    goals: tuple[Objective, ...]
    budget: Budget
    target: str | None
    results: tuple[TrialResult, ...]

    @cached_property
    def ranks(self) -> Mapping[int, int]:
        """The rank of every feasible trial, by its number: see `ltc_edge.sweep.front.ranked`.

        Raises:
            InputError: a feasible trial lacks a goal's figure.
        """
        return {result.number: rank for result, rank in ranked(self.results, self.goals)}

    @cached_property
    def complete(self) -> tuple[TrialResult, ...]:
        """The trials with all their figures; others may have some, of the seeds that came to an end."""
        return tuple(result for result in self.results if result.state == "complete")

    @cached_property
    def front(self) -> tuple[TrialResult, ...]:
        """The Pareto front, the best of the first goal first."""
        members = [result for result in self.results if self.ranks.get(result.number) == 0]
        first = self.goals[0]
        sign = -1.0 if first.maximised else 1.0
        return tuple(
            sorted(members, key=lambda result: (sign * result.figures[first.name].mean, result.number))
        )

    @cached_property
    def doubts(self) -> tuple[Doubt, ...]:
        """Which places on the front may be chance."""
        return tuple(doubts(self.front, self.goals))

    @cached_property
    def pick(self) -> Pick | None:
        """The recommendation; None where nothing keeps the budget."""
        return pick(self.front, self.goals, self.budget)

    @cached_property
    def picked(self) -> TrialResult | None:
        """The trial that is recommended."""
        return next((one for one in self.front if self.pick and one.number == self.pick.trial), None)

    def with_budget(self, budget: Budget) -> Swept:
        """The same trials, judged by another budget."""
        judged = [
            dataclasses.replace(result, broken=broken_limits(budget, result.figures))
            if result.state == "complete"
            else result
            for result in self.results
        ]
        return dataclasses.replace(self, budget=budget, results=tuple(judged))
