"""The motor of ``dc-motor`` with a smooth world around it, whose loop can be linearised at rest.

Its encoder has no steps, its periods are all the native one, and its reference stays zero. Armature,
friction, drive and their limits are those of the task.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ltc_edge.arrays import BoolArray, FloatArray
from ltc_edge.tasks import dc_motor_physics as physics
from ltc_edge.tasks.dc_motor import MAX_REFERENCE_RAD, PERIOD_S, SENSORS
from ltc_edge.tasks.protocol import Readings
from ltc_edge.tasks.seeding import generator

LEFT_OUT = "the encoder's steps and the irregular periods are left out"


class SmoothServos:
    """Servos at a reference of zero that start at a random angle."""

    def __init__(self, sensors: Sequence[str]) -> None:
        names = [sensor.name for sensor in SENSORS]
        self._columns = [names.index(name) for name in sensors]
        self._servo: FloatArray = np.zeros((0, 5))

    def reset(self, seeds: Sequence[int]) -> Readings:
        """Start ``len(seeds)`` episodes."""
        self._servo = np.zeros((len(seeds), 5))
        starts = [generator(seed).uniform(-MAX_REFERENCE_RAD, MAX_REFERENCE_RAD) for seed in seeds]
        self._servo[:, 0] = starts
        return self._readings()

    def step(self, action: FloatArray, active: BoolArray) -> Readings:
        """Hold the voltage for a period."""
        rows = np.flatnonzero(active)
        voltage = np.clip(action[rows, 0], -physics.MAX_VOLTAGE_V, physics.MAX_VOLTAGE_V)
        periods = np.full(len(rows), PERIOD_S)
        self._servo[rows] = physics.advance(self._servo[rows], voltage, periods)
        return self._readings()

    def close(self) -> None:
        """Nothing is held."""

    def _readings(self) -> Readings:
        size = len(self._servo)
        reference = np.zeros((size, 1))
        return Readings(
            observation=np.concatenate([reference, self._servo[:, :3]], axis=1)[:, self._columns],
            privileged=np.concatenate([reference, self._servo], axis=1),
            dt_s=np.full(size, PERIOD_S),
            reward=np.zeros(size),
            terminated=np.zeros(size, dtype=np.bool_),
        )
