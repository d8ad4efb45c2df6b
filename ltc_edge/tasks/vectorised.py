"""Plants whose physics is a NumPy expression over the whole batch."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ltc_edge.arrays import BoolArray, FloatArray
from ltc_edge.tasks.protocol import Readings
from ltc_edge.tasks.seeding import generator


@dataclass(frozen=True)
class Transition:
    """What one step does to ``A`` plants.

    Attributes:
        state: shape ``(A, P)``.
        reward, terminated: shape ``(A,)``.
    """

    state: FloatArray
    reward: FloatArray
    terminated: BoolArray


class VectorisedPlants(ABC):
    """A batch of plants with a state of ``P`` numbers, all of which the expert sees.

    Rows never mix: each operation below is elementwise over the batch.
    """

    middle: FloatArray | float = 0.0
    """What initial states scatter about, ``(P,)``."""

    def __init__(self, columns: Sequence[int], period_s: float, spread: float = 1.0) -> None:
        """Read ``period_s`` apart, from states ``spread`` times as far from the middle."""
        self._columns = list(columns)
        self._period_s = period_s
        self._spread = spread
        self._state: FloatArray = np.zeros((0, 0))
        self._terminated: BoolArray = np.zeros(0, dtype=np.bool_)

    @abstractmethod
    def initial(self, rng: np.random.Generator) -> FloatArray:
        """The state at the start of an episode, shape ``(P,)``."""

    @abstractmethod
    def advance(self, state: FloatArray, action: FloatArray) -> Transition:
        """One period of ``self._period_s``, from states ``(A, P)`` with actions ``(A, M)``.

        The reward is the share of a native period's that ``self._period_s`` is of one.
        """

    @abstractmethod
    def sense(self, state: FloatArray) -> FloatArray:
        """All sensor values, shape ``(E, S)``, in states of shape ``(E, P)``."""

    def reset(self, seeds: Sequence[int]) -> Readings:
        """Start ``len(seeds)`` episodes."""
        self._state = np.stack([self.initial(generator(seed)) for seed in seeds])
        if self._spread != 1.0:
            self._state = self.middle + self._spread * (self._state - self.middle)
        self._terminated = np.zeros(len(seeds), dtype=np.bool_)
        return self._readings(np.zeros(len(seeds)))

    def step(self, action: FloatArray, active: BoolArray) -> Readings:
        """Step the active rows by one period."""
        reward = np.zeros(len(self._state))
        if active.any():
            after = self.advance(self._state[active], np.asarray(action, dtype=np.float64)[active])
            self._state[active] = after.state
            self._terminated[active] = after.terminated
            reward[active] = after.reward
        return self._readings(reward)

    def close(self) -> None:
        """Forget the episodes; nothing else is held."""
        self._state = np.zeros((0, 0))

    def _readings(self, reward: FloatArray) -> Readings:
        return Readings(
            observation=self.sense(self._state)[:, self._columns],
            privileged=self._state.copy(),
            dt_s=np.full(len(self._state), self._period_s),
            reward=reward,
            terminated=self._terminated.copy(),
        )
