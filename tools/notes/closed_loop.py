"""Figures of many controllers of one control task, played side by side on the same episodes."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np

from ltc_edge.arrays import BoolArray, FloatArray
from ltc_edge.controller import Controller
from ltc_edge.evaluation.corruption.areas import curve_area
from ltc_edge.evaluation.corruption.corrupted_task import CorruptedTask, Corruption, refusal
from ltc_edge.evaluation.corruption.pack import PACK, SEVERITIES
from ltc_edge.evaluation.corruption.scales import channel_scales
from ltc_edge.evaluation.corruption.scores import Score, Yardstick, score
from ltc_edge.evaluation.out_of_distribution import AXES, out_of_distribution
from ltc_edge.evaluation.rollout import Policy, ZeroPolicy, open_plants, rollout
from ltc_edge.evaluation.side_by_side import SideBySide
from ltc_edge.runtimes.reference import ReferenceBatch
from ltc_edge.tasks.protocol import Task

Figures = dict[str, Any]

EPISODES = 20
HARD_EPISODES = 8
"""Of each condition of the pack and of each shift: with five trainings a cell it is forty."""
HARD_STEPS = 200
"""Longest episode there, for time's sake: what goes wrong later is not seen."""


def returns(task: Task, controllers: Sequence[Controller]) -> list[Figures]:
    """Mean return over whole episodes, and normalised: 0 for the zero controller, 1 for the expert."""
    scores, _ = _Corruptions(task, controllers, range(EPISODES)).nominal()
    return [{"return_mean": one.returns.mean, "height": _limited(one.normalised)} for one in scores]


def corruption(task: Task, controllers: Sequence[Controller]) -> list[Figures]:
    """Areas under the severity curves of all kinds of the pack that the task can have, and their mean."""
    played = _Corruptions(shortened(task), controllers, range(HARD_EPISODES))
    nominal, yardstick = played.nominal()
    areas: list[dict[str, float]] = [{} for _ in controllers]
    for kind in PACK.names:
        if refusal(task, kind) is not None:
            continue
        curves = [nominal, *(played.scores(Corruption(kind, severity), yardstick) for severity in SEVERITIES)]
        for own, found in zip(zip(*curves, strict=True), areas, strict=True):
            if (area := curve_area(own, yardstick)) is not None:
                found[kind] = area.area.value
    return [
        {
            "pack_sha256": PACK.sha256,
            "areas": found,
            "area_mean": float(np.mean(list(found.values()))),
            "nominal": _limited(one.normalised),
        }
        for found, one in zip(areas, nominal, strict=True)
    ]


def shifted(task: Task, controllers: Sequence[Controller]) -> list[Figures]:
    """The out-of-distribution score, its two axes, and every level."""
    policies = [ReferenceBatch(controller) for controller in controllers]
    found = out_of_distribution(shortened(task), policies, range(HARD_EPISODES))
    return [
        {
            "score": one.score,
            "axes": {axis: one.axis(axis) for axis in AXES},
            "nominal": _limited(one.nominal.normalised),
            "levels": [
                {
                    "axis": each.shift.axis,
                    "level": each.shift.level,
                    "height": each.height,
                    "expert_failure_rate": each.expert_failure_rate,
                }
                for each in one.shifts
            ],
        }
        for one in found
    ]


def shortened(task: Task) -> Task:
    """``task`` with episodes of at most `HARD_STEPS`."""
    short = copy.copy(task)
    short.max_steps = min(task.max_steps, HARD_STEPS)
    return short


class _Corruptions:
    """Controllers of a task under one condition after the other."""

    def __init__(self, task: Task, controllers: Sequence[Controller], seeds: Sequence[int]) -> None:
        self._task, self._seeds = task, seeds
        self._together = SideBySide([ReferenceBatch(controller) for controller in controllers])
        self._sigma = channel_scales(task)

    def nominal(self) -> tuple[list[Score], Yardstick]:
        """Uncorrupted scores, and what all scores are normalised by."""
        expert, expert_ended = self._play(None, self._seeds)
        zero, zero_ended = self._play(ZeroPolicy(self._task), self._seeds)
        yardstick = Yardstick(expert, zero, expert_ended, zero_ended)
        return self.scores(None, yardstick), yardstick

    def scores(self, corrupted: Corruption | None, yardstick: Yardstick) -> list[Score]:
        """Of every controller."""
        together = self._together
        found = self._play(together, together.seeds_for(self._seeds), corrupted)
        own = zip(*(together.apart(each) for each in found), strict=True)
        return [score(each, ended, yardstick) for each, ended in own]

    def _play(
        self, policy: Policy | None, seeds: Sequence[int], corrupted: Corruption | None = None
    ) -> tuple[FloatArray, BoolArray]:
        task = CorruptedTask(self._task, corrupted, self._sigma)
        with open_plants(task) as plants:
            played = rollout(task, plants, policy, seeds)
        assert task.plants is not None
        return played.returns, task.plants.ended_early


def _limited(normalised: float | None) -> float | None:
    return None if normalised is None else float(np.clip(normalised, 0.0, 1.0))
