"""Several policies as one, so that they share a batch of plants: twenty then cost little more than one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from ltc_edge.arrays import FloatArray
from ltc_edge.evaluation.rollout import Policy

Scalar = TypeVar("Scalar", bound=np.generic)


class SideBySide:
    """Policies with an equal number of consecutive episodes each, in their order; itself a `Policy`.

    Give `rollout` the same seeds once for every policy (`seeds_for`), and take its figures apart by `apart`.
    """

    def __init__(self, policies: Sequence[Policy]) -> None:
        self._policies = tuple(policies)

    def seeds_for(self, seeds: Sequence[int]) -> list[int]:
        """``seeds`` as often as there are policies."""
        return list(seeds) * len(self._policies)

    def apart(self, figures: npt.NDArray[Scalar]) -> npt.NDArray[Scalar]:
        """What was found of all episodes, ``(P·E, …)``, by policy: ``(P, E, …)``."""
        return figures.reshape(len(self._policies), -1, *figures.shape[1:])

    def reset(self, size: int) -> None:
        """Start ``size`` new episodes, a multiple of the number of policies."""
        own, rest = divmod(size, len(self._policies))
        assert rest == 0
        for policy in self._policies:
            policy.reset(own)

    def step(self, observation: FloatArray, dt_s: FloatArray) -> FloatArray:
        """One step of every episode."""
        rows = zip(self._policies, self.apart(observation), self.apart(dt_s), strict=True)
        return np.concatenate([policy.step(own, dt) for policy, own, dt in rows])
