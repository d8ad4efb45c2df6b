"""A level that drifts, and sensors of which only one is needed though all of them go with it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ltc_edge.arrays import BoolArray, FloatArray
from ltc_edge.signals import ActionSignal, ObservationSignal
from ltc_edge.tasks.protocol import Readings

STEPS, PERIOD_S = 80, 0.05
DECAY, GAIN, DISTURBANCE, NOISE = 0.99, 0.3, 0.4, 0.5
"""Of the level from step to step; what an action adds; deviations of the disturbance and of the sensor."""

SMOOTHING = 0.35
"""Of the filtered reading: about a neuron's lag, so that it goes with the action more than its cause does."""

CAUSE = "sensor"
SENSORS = (CAUSE, "filtered", "late", "coarse", "elsewhere")


class LevelPlants:
    """Levels ``y' = 0.99 y + 0.3 u + disturbance``; the sensors come in the task's own order."""

    def __init__(self, order: Sequence[int]) -> None:
        self._order = list(order)

    def reset(self, seeds: Sequence[int]) -> Readings:
        """Start episodes; all that is random in one is drawn from its seed."""
        draws = [np.random.default_rng(seed).standard_normal((STEPS + 2, 4)) for seed in seeds]
        self._random, self._step = np.stack(draws), 0
        self._level = 2.0 * self._random[:, -1, 0]
        self._late, self._filtered = self._level.copy(), self._level.copy()
        self._elsewhere = self._random[:, -1, 1].copy()
        return self._readings(np.zeros(len(seeds)))

    def step(self, action: FloatArray, active: BoolArray) -> Readings:
        """One period."""
        drawn = self._random[:, self._step, 0]
        self._late = self._level
        following = DECAY * self._level + GAIN * action[:, 0] + DISTURBANCE * drawn
        self._level = np.where(active, following, self._level)
        self._elsewhere = 0.9 * self._elsewhere + 0.44 * self._random[:, self._step, 1]
        self._step += 1
        return self._readings(np.where(active, -(self._level**2), 0.0))

    def close(self) -> None:
        """Nothing is held."""

    def _readings(self, reward: FloatArray) -> Readings:
        now = self._random[:, self._step]
        sensor = self._level + NOISE * now[:, 2]
        self._filtered = self._filtered + SMOOTHING * (sensor - self._filtered)
        coarse = 0.8 * self._level + 0.7 * now[:, 3]
        columns = np.column_stack([sensor, self._filtered, self._late, coarse, self._elsewhere])
        return Readings(
            observation=columns[:, self._order],
            privileged=self._level[:, None].copy(),
            dt_s=np.full(len(self._level), PERIOD_S),
            reward=reward,
            terminated=np.zeros(len(self._level), dtype=np.bool_),
        )


class Level:
    """Keep the level at zero."""

    name = "level"
    summary = "Keep a level at zero"
    actions = (ActionSignal("valve", "", -10.0, 10.0),)
    period_s = PERIOD_S
    dt_range_s = (PERIOD_S, PERIOD_S)
    max_steps = STEPS
    reward_threshold = None

    def __init__(self, order: Sequence[int]) -> None:
        self._order = tuple(order)
        self.observations = tuple(ObservationSignal(SENSORS[k]) for k in self._order)

    def make_plants(self) -> LevelPlants:
        """New plants."""
        return LevelPlants(self._order)

    def expert(self, privileged: FloatArray) -> FloatArray:
        """Against the level."""
        return np.clip(-0.8 * privileged, -10.0, 10.0)
