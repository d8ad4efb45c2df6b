"""When the controller is called: late, seldom, or as it should be.

A plant is simulated in its native periods. A controller that is called after ``n`` of them has its action
held, is told the time that has truly passed, and gets the sum of the rewards.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ltc_edge.arrays import BoolArray, FloatArray, IntArray
from ltc_edge.evaluation.corruption.draws import generators
from ltc_edge.tasks.protocol import PlantBatch, Readings

Schedule = Callable[[float, Sequence[int], int], IntArray]
"""(level, seeds, steps) → periods that each step of each episode lasts, ``(E, steps)``."""


def jitter(level: float, seeds: Sequence[int], steps: int) -> IntArray:
    """Steps of which each is late by one period with probability ``level``."""
    late = [rng.uniform(size=steps) < level for rng in generators("jitter", seeds)]
    return 1 + np.stack(late).astype(np.int64)


def sample_rate(level: float, seeds: Sequence[int], steps: int) -> IntArray:
    """Steps that end in the last whole period before each multiple of ``level`` periods."""
    ends = np.floor(level * np.arange(steps + 1)).astype(np.int64)
    return np.tile(np.diff(ends), (len(seeds), 1))


SCHEDULES: dict[str, Schedule] = {"jitter": jitter, "sample-rate": sample_rate}
"""Those of the pack's kinds that are of timing."""


class TimedPlants:
    """Plants that are stepped by a schedule and end after so many periods; itself a ``PlantBatch``.

    Args:
        plants: the plants.
        periods: of an episode that does not end by itself.
        schedule: of `SCHEDULES`; None for a step a period.
        level: of the schedule.

    """

    def __init__(
        self, plants: PlantBatch, periods: int, schedule: Schedule | None = None, level: float = 0.0
    ) -> None:
        self._plants, self._periods, self._schedule, self._level = plants, periods, schedule, level
        self._lasts: IntArray = np.zeros((0, 0), dtype=np.int64)
        self._left: IntArray = np.zeros(0, dtype=np.int64)
        self._step = 0
        self._ended: BoolArray = np.zeros(0, dtype=np.bool_)

    @property
    def ended_early(self) -> BoolArray:
        """Whether the plant itself has ended an episode before its longest, ``(E,)``."""
        return self._ended & (self._left > 0)

    def reset(self, seeds: Sequence[int]) -> Readings:
        """Start new episodes."""
        rows = len(seeds)
        ones = np.ones((rows, self._periods), dtype=np.int64)
        self._lasts = ones if self._schedule is None else self._schedule(self._level, seeds, self._periods)
        self._left, self._step = np.full(rows, self._periods), 0
        self._ended = np.zeros(rows, dtype=np.bool_)
        return self._plants.reset(seeds)

    def step(self, action: FloatArray, active: BoolArray) -> Readings:
        """Hold ``action`` for as long as the schedule has it."""
        wanted = np.minimum(self._lasts[:, self._step], self._left)
        self._step += 1
        going = active & ~self._ended & (wanted > 0)
        readings = self._plants.step(action, going)
        self._count(readings, going)
        for period in range(1, int(wanted[active].max(initial=0))):
            going = going & (wanted > period) & ~self._ended
            if not going.any():
                break
            further = self._plants.step(action, going)
            self._count(further, going)
            readings = _joined(readings, further, going)
        return Readings(
            readings.observation,
            readings.privileged,
            readings.dt_s,
            readings.reward,
            self._ended | (self._left == 0),
        )

    def close(self) -> None:
        """Close the plants."""
        self._plants.close()

    def _count(self, readings: Readings, going: BoolArray) -> None:
        self._left = self._left - going
        self._ended = self._ended | (going & readings.terminated)


def _joined(before: Readings, after: Readings, going: BoolArray) -> Readings:
    """Two steps of the rows ``going`` as one; the others have made the first alone."""
    column = going[:, None]
    return Readings(
        np.where(column, after.observation, before.observation),
        np.where(column, after.privileged, before.privileged),
        before.dt_s + np.where(going, after.dt_s, 0.0),
        before.reward + np.where(going, after.reward, 0.0),
        after.terminated,
    )
