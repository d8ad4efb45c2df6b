"""What an actuator makes of its command: it lags."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ltc_edge.arrays import BoolArray, FloatArray
from ltc_edge.tasks.protocol import PlantBatch, Readings


class LaggedPlants:
    """Plants behind actuators with a first-order lag; itself a ``PlantBatch``.

    With a time constant of ``τ`` periods, an actuator that stands at ``x`` and is told ``u`` has gone to
    ``u + (x − u) e^(−1/τ)`` after a period. The plant takes one value a period: the mean over it, which is
    ``u + (x − u) τ (1 − e^(−1/τ))``, so that lags far shorter than a period count too.

    Args:
        plants: the plants.
        level: ``τ`` in native periods; 0 for none.
        rest: where actuators stand at first, ``(M,)``.
    """

    def __init__(self, plants: PlantBatch, level: float, rest: FloatArray) -> None:
        self._plants, self._rest = plants, rest
        self._kept = math.exp(-1.0 / level) if level else 0.0
        self._mean = level * (1.0 - self._kept)
        self._at: FloatArray = rest[None]

    def reset(self, seeds: Sequence[int]) -> Readings:
        """Start new episodes, the actuators at rest."""
        self._at = np.tile(self._rest, (len(seeds), 1))
        return self._plants.reset(seeds)

    def step(self, action: FloatArray, active: BoolArray) -> Readings:
        """Step the active rows."""
        behind = self._at - action
        self._at = action + behind * self._kept
        return self._plants.step(action + behind * self._mean, active)

    def close(self) -> None:
        """Close the plants."""
        self._plants.close()
