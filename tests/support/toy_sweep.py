"""Sweeps of `toy_trials`: their plans, studies, and an engine that ends work in any order."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from toy_trials import do

from ltc_edge.sweep.budget import Budget, read_budget
from ltc_edge.sweep.engines.carry_out import carry_out
from ltc_edge.sweep.engines.engine import Lost
from ltc_edge.sweep.measurement import MeasurementPlan
from ltc_edge.sweep.plan import SweepPlan
from ltc_edge.sweep.space import make_space
from ltc_edge.sweep.storage import open_storage
from ltc_edge.sweep.study import Study
from ltc_edge.sweep.work import Outcome, Work
from ltc_edge.training.sources import TaskSource

SOURCE = TaskSource("cartpole")


def plan(budget: str = "instructions<900", **chosen: Any) -> SweepPlan:
    """A sweep of `do` over cells, wirings, units, unfolds and formats."""
    limits = read_budget(budget) if budget else Budget()
    chosen = {"trials": 16, "population": 3, "lookahead": 4, "give_up": 60.0, "name": "toy"} | chosen
    return SweepPlan(MeasurementPlan(SOURCE, budget=limits), make_space(SOURCE, 1, {}), **chosen)


def study_in(folder: Path, asked_for: SweepPlan) -> Study:
    """The study of the sweep in ``folder``, whose journal may be there already."""
    return Study(asked_for, open_storage(folder, asked_for.storage)[0])


def record_of(study: Study) -> list[Any]:
    """All that must not depend on who did the work, when, and how often."""
    pairs = zip(study.asked, study.told, strict=True)
    return [(asked, told) for asked, told in pairs]


class Quiet:
    """A `Watcher` that looks away."""

    def working(self, busy: int) -> None:
        """See `Watcher`."""

    def lost(self, lost: Lost) -> None:
        """See `Watcher`."""

    def told(self, asked: object, told: object) -> None:
        """See `Watcher`."""


class Scrambled:
    """An engine in this process: of what it was given, any may end next, be lost, or never come back.

    Args:
        trials: the folder of trials.
        slots: how many replicates it does at once.
        rng: which one ends.
        loses: share of work that is lost, at most twice the same.
    """

    def __init__(self, trials: Path, slots: int, rng: random.Random, loses: float = 0.0) -> None:
        self.slots = slots
        self.given: list[Work] = []
        self.done: list[Work] = []
        self._trials, self._rng, self._loses = trials, rng, loses
        self._lost: dict[str, int] = {}

    def submit(self, work: Work) -> None:
        """See `Engine`."""
        self.given.append(work)

    def wait(self, timeout_s: float | None = None) -> list[Outcome | Lost]:  # noqa: ARG002
        """See `Engine`."""
        ended: list[Outcome | Lost] = []
        for _ in range(self._rng.randint(1, 3)):
            if not self.given:
                break
            work = self.given.pop(self._rng.randrange(len(self.given[: self.slots])))
            if self._rng.random() < self._loses and self._lost.get(work.name, 0) < 2:
                self._lost[work.name] = self._lost.get(work.name, 0) + 1
                ended.append(Lost(work, "the power is out"))
            else:
                self.done.append(work)
                ended.append(carry_out(do, work, self._trials))
        return ended

    def close(self) -> None:
        """See `Engine`."""
        self.given.clear()
