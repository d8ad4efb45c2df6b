"""What sensors do to readings: noise, bias, drift, quantisation, dropout, stuck, delay, spikes, gain."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Sequence

import numpy as np

from ltc_edge.arrays import BoolArray, FloatArray
from ltc_edge.evaluation.corruption.draws import generators
from ltc_edge.evaluation.corruption.pack import PACK
from ltc_edge.tasks.protocol import PlantBatch, Readings

DRIFT_PERIODS = 100.0
"""A drift's level is what it gains in so many periods."""


class Sensor(ABC):
    """One kind of corruption of readings, at one level, over ``E`` episodes.

    Attributes:
        level: how much, in the unit of the pack.
        sigma: scale of each channel, ``(I,)``.
    """

    def __init__(self, level: float, sigma: FloatArray) -> None:
        self.level, self.sigma = level, sigma

    def draw(self, rng: np.random.Generator, readings: int) -> FloatArray:  # noqa: ARG002
        """All that an episode of so many readings draws, an array of any shape."""
        return np.zeros(0)

    @abstractmethod
    def read(self, step: int, true: FloatArray, drawn: FloatArray) -> FloatArray:
        """Readings of step 0, 1, … ``(E, I)``, given the true ones and all draws ``(E, …)``."""


class Noise(Sensor):
    """White Gaussian noise."""

    def draw(self, rng: np.random.Generator, readings: int) -> FloatArray:
        """A normal number a reading."""
        return rng.standard_normal((readings, len(self.sigma)))

    def read(self, step: int, true: FloatArray, drawn: FloatArray) -> FloatArray:
        """See `Sensor.read`."""
        return np.asarray(true + self.level * self.sigma * drawn[:, step])


class Bias(Sensor):
    """A constant offset."""

    def draw(self, rng: np.random.Generator, readings: int) -> FloatArray:  # noqa: ARG002
        """A sign a channel."""
        return _signs(rng, len(self.sigma))

    def read(self, step: int, true: FloatArray, drawn: FloatArray) -> FloatArray:  # noqa: ARG002
        """See `Sensor.read`."""
        return np.asarray(true + self.level * self.sigma * drawn)


class Drift(Bias):
    """An offset that grows with time."""

    def read(self, step: int, true: FloatArray, drawn: FloatArray) -> FloatArray:
        """See `Sensor.read`."""
        return np.asarray(true + self.level * (step / DRIFT_PERIODS) * self.sigma * drawn)


class Gain(Bias):
    """A scale error."""

    def read(self, step: int, true: FloatArray, drawn: FloatArray) -> FloatArray:  # noqa: ARG002
        """See `Sensor.read`."""
        return np.asarray(true * (1.0 + self.level * drawn))


class Quantisation(Sensor):
    """Too few bits."""

    def read(self, step: int, true: FloatArray, drawn: FloatArray) -> FloatArray:  # noqa: ARG002
        """See `Sensor.read`."""
        quantum = self.level * self.sigma
        moves = quantum > 0
        return np.where(moves, np.round(true / np.where(moves, quantum, 1.0)) * quantum, true)


class Spikes(Sensor):
    """Outliers."""

    def draw(self, rng: np.random.Generator, readings: int) -> FloatArray:
        """For each reading a uniform number that decides, and the spike's sign: ``(2, readings, I)``."""
        shape = (readings, len(self.sigma))
        return np.stack([rng.uniform(size=shape), _signs(rng, *shape)])

    def read(self, step: int, true: FloatArray, drawn: FloatArray) -> FloatArray:
        """See `Sensor.read`."""
        height = PACK["spikes"].constants["height_sigma"] * self.sigma
        return np.where(drawn[:, 0, step] < self.level, true + height * drawn[:, 1, step], true)


class Holding(Sensor):
    """Sensors of which some channels, for some readings, repeat what they said last."""

    _last: FloatArray

    @abstractmethod
    def held(self, step: int, drawn: FloatArray) -> BoolArray:
        """Which channels repeat themselves at ``step`` ≥ 1, ``(E, I)``."""

    def read(self, step: int, true: FloatArray, drawn: FloatArray) -> FloatArray:
        """See `Sensor.read`; the first reading of an episode always comes."""
        self._last = np.where(self.held(step, drawn), self._last, true) if step else true
        return self._last


class Dropout(Holding):
    """Readings that do not arrive."""

    def draw(self, rng: np.random.Generator, readings: int) -> FloatArray:
        """A uniform number a reading."""
        return rng.uniform(size=(readings, len(self.sigma)))

    def held(self, step: int, drawn: FloatArray) -> BoolArray:
        """Those whose number is below the probability."""
        return np.asarray(drawn[:, step] < self.level)


class Stuck(Holding):
    """Channels that freeze for a while."""

    def draw(self, rng: np.random.Generator, readings: int) -> FloatArray:
        """The channel that begins to freeze at each reading, −1 for none, ``(readings,)``."""
        starts = rng.uniform(size=readings) < 1.0 / PACK["stuck"].constants["mean_gap_periods"]
        return np.where(starts, rng.integers(0, len(self.sigma), size=readings), -1).astype(np.float64)

    def held(self, step: int, drawn: FloatArray) -> BoolArray:
        """Those that began to freeze within the last ``level`` readings."""
        began = drawn[:, max(step - int(self.level) + 1, 1) : step + 1]
        return np.asarray((began[:, :, None] == np.arange(len(self.sigma))).any(axis=1))


class Delay(Sensor):
    """Readings that are old."""

    def __init__(self, level: float, sigma: FloatArray) -> None:
        super().__init__(level, sigma)
        self._past: deque[FloatArray] = deque(maxlen=int(level) + 2)

    def read(self, step: int, true: FloatArray, drawn: FloatArray) -> FloatArray:  # noqa: ARG002
        """See `Sensor.read`; before an episode, its first reading stood."""
        if not step:
            self._past.extend([true] * (int(self.level) + 2))
        self._past.append(true)
        share = self.level % 1.0
        older, newer = self._past[0], self._past[1]
        return np.asarray((1.0 - share) * newer + share * older)


SENSORS: dict[str, type[Sensor]] = {
    "noise": Noise,
    "bias": Bias,
    "drift": Drift,
    "quantisation": Quantisation,
    "dropout": Dropout,
    "stuck": Stuck,
    "delay": Delay,
    "spikes": Spikes,
    "gain": Gain,
}
"""Those of the pack's kinds that are sensors."""


class SensedPlants:
    """Plants whose readings come through a corrupted sensor; itself a ``PlantBatch``.

    Args:
        plants: the plants.
        kind: one of `SENSORS`.
        level: how much.
        sigma: scale of each channel, ``(I,)``.
        steps: the longest episode, in periods.
    """

    def __init__(self, plants: PlantBatch, kind: str, level: float, sigma: FloatArray, steps: int) -> None:
        self._plants, self._kind, self._readings = plants, kind, steps + 1
        self._sensor = SENSORS[kind](level, sigma)
        self._drawn: FloatArray = np.zeros((0, 0))
        self._step = 0

    def reset(self, seeds: Sequence[int]) -> Readings:
        """Start new episodes."""
        drawn = [self._sensor.draw(rng, self._readings) for rng in generators(self._kind, seeds)]
        self._drawn, self._step = np.stack(drawn), 0
        return self._sensed(self._plants.reset(seeds))

    def step(self, action: FloatArray, active: BoolArray) -> Readings:
        """Step the active rows."""
        self._step += 1
        return self._sensed(self._plants.step(action, active))

    def close(self) -> None:
        """Close the plants."""
        self._plants.close()

    def _sensed(self, readings: Readings) -> Readings:
        read = self._sensor.read(self._step, readings.observation, self._drawn)
        return dataclasses.replace(readings, observation=read)


def _signs(rng: np.random.Generator, *shape: int) -> FloatArray:
    return 2.0 * rng.integers(0, 2, size=shape) - 1.0
