"""Gymnasium environments stepped in lockstep, one a row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ltc_edge.arrays import BoolArray, FloatArray
from ltc_edge.tasks.protocol import Readings
from ltc_edge.tasks.spaces import ActionCodec
from ltc_edge.tasks.wording import foreign_code


class EnvironmentPlants:
    """Environments without a time limit; the privileged state is the whole observation.

    They are made when a batch first needs them and reused by later resets. An environment that
    truncates by itself has ended as surely as one that terminates.
    """

    def __init__(
        self,
        make: Callable[[], Any],
        env_id: str,
        codec: ActionCodec,
        columns: Sequence[int],
        period_s: float,
    ) -> None:
        self._make = make
        self._env_id = env_id
        self._codec = codec
        self._columns = list(columns)
        self._period_s = period_s
        self._environments: list[Any] = []
        self._observed: FloatArray = np.zeros((0, 0))
        self._terminated: BoolArray = np.zeros(0, dtype=np.bool_)

    def reset(self, seeds: Sequence[int]) -> Readings:
        """Start ``len(seeds)`` episodes.

        Raises:
            TaskError: an environment raised.
        """
        while len(self._environments) < len(seeds):
            self._environments.append(self._make())
        rows = []
        for env, seed in zip(self._environments, seeds, strict=False):
            with foreign_code(f"{self._env_id}: reset"):
                rows.append(env.reset(seed=int(seed))[0])
        with foreign_code(f"{self._env_id}: reading what reset returned"):
            self._observed = np.array(rows, dtype=np.float64)
        self._terminated = np.zeros(len(seeds), dtype=np.bool_)
        return self._readings(np.zeros(len(seeds)))

    def step(self, action: FloatArray, active: BoolArray) -> Readings:
        """Step the active environments.

        Raises:
            TaskError: an environment raised.
        """
        reward = np.zeros(len(self._observed))
        for row in np.flatnonzero(active).tolist():
            command = self._codec.to_environment(action[row])
            with foreign_code(f"{self._env_id}: step"):
                observation, gained, terminated, truncated, _ = self._environments[row].step(command)
                self._observed[row], reward[row] = observation, gained
                self._terminated[row] = terminated or truncated
        return self._readings(reward)

    def close(self) -> None:
        """Close the environments."""
        for env in self._environments:
            env.close()
        self._environments.clear()

    def _readings(self, reward: FloatArray) -> Readings:
        return Readings(
            observation=self._observed[:, self._columns],
            privileged=self._observed.copy(),
            dt_s=np.full(len(self._observed), self._period_s),
            reward=reward,
            terminated=self._terminated.copy(),
        )
