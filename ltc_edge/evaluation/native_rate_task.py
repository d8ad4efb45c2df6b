"""A task that is read, and its action changed, at another rate than its own; a task itself."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ltc_edge.arrays import FloatArray
from ltc_edge.evaluation.corruption.timing import TimedPlants, sample_rate
from ltc_edge.tasks.protocol import HasOtherPeriods, PlantBatch, Readings, Task

FINEST = 10
"""Steps of the physics in a native period, or more where a rate asks for it."""

ROUNDING = 1e-9
"""Periods whose ratio is this near to a whole number are multiples."""


@dataclass(frozen=True)
class Grid:
    """The steps of a plant's physics between two readings.

    Attributes:
        step_s: seconds of one.
        each: how many between two readings; with a fraction, readings come at the last whole step.
        finer: whether they are steps that the task makes on demand, and not its native periods.
    """

    step_s: float
    each: float
    finer: bool


def grid_of(task: Task, sample_s: float, longest_s: float) -> Grid | None:
    """How to read ``task`` every ``sample_s``; None where it cannot be.

    Args:
        task: the task.
        sample_s: seconds from one reading to the next.
        longest_s: of a step of the physics, where the task makes them on demand.
    """
    if isinstance(task, HasOtherPeriods):
        each = math.ceil(sample_s / longest_s - ROUNDING)
        return Grid(sample_s / each, float(each), True)
    ratio = sample_s / task.period_s
    if ratio < 1.0 - ROUNDING:
        return None
    whole = round(ratio)
    return Grid(task.period_s, float(whole) if abs(ratio - whole) < ROUNDING * ratio else ratio, False)


class SampledTask:
    """``task`` with readings as a grid has them; signals, rewards and expert are the task's.

    An episode lasts as long as one of the task's: ``max_steps`` native periods.
    """

    def __init__(self, task: Task, grid: Grid) -> None:
        self._task, self._grid = task, grid
        self.name = task.name
        self.summary = task.summary
        self.observations = task.observations
        self.actions = task.actions
        self.period_s = task.period_s
        self._steps = round(task.max_steps * task.period_s / grid.step_s)
        self.max_steps = math.ceil(self._steps / grid.each)
        self.reward_threshold = task.reward_threshold
        # The last reading of an episode may come early.
        times = (grid.step_s, math.ceil(grid.each) * grid.step_s, *(() if grid.finer else task.dt_range_s))
        self.dt_range_s = min(*times, task.period_s), max(*times, task.dt_range_s[1] * math.ceil(grid.each))
        self.plants: TimedPlants | None = None
        """Those that were made last, which know how their episodes ended."""

    def make_plants(self) -> PlantBatch:
        """The plants, stepped as often as there are steps of the physics between readings."""
        task = self._task
        if self._grid.finer and isinstance(task, HasOtherPeriods):
            plants = task.make_plants_every(self._grid.step_s)
        else:
            plants = task.make_plants()
        self.plants = _SampledPlants(plants, self._steps, self._grid.each, task.period_s)
        return self.plants

    def expert(self, privileged: FloatArray) -> FloatArray:
        """The task's expert, which sees the true state."""
        return np.asarray(self._task.expert(privileged))


class _SampledPlants(TimedPlants):
    """Plants that are read every so many steps; the first reading is a native period after nothing."""

    def __init__(self, plants: PlantBatch, steps: int, each: float, native_s: float) -> None:
        super().__init__(plants, steps, sample_rate, each)
        self._native_s = native_s

    def reset(self, seeds: Sequence[int]) -> Readings:
        """Start new episodes."""
        readings = super().reset(seeds)
        return dataclasses.replace(readings, dt_s=np.full(len(seeds), self._native_s))
