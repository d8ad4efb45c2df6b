"""The area under a severity curve: one figure for a kind of corruption."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ltc_edge.arrays import FloatArray
from ltc_edge.evaluation.corruption.scores import Score, Yardstick

RESAMPLES = 2_000
BOOTSTRAP_SEED = 0


@dataclass(frozen=True)
class Area:
    """A figure with its 95 % interval, by percentile bootstrap over the episodes (Efron 1979)."""

    value: float
    ci95: tuple[float, float]


@dataclass(frozen=True, eq=False)
class CurveArea:
    """The area under one curve, and under the same curve of resampled episodes, ``(R,)``."""

    value: float
    resampled: FloatArray

    @property
    def area(self) -> Area:
        """The area itself."""
        return Area(self.value, _interval(self.resampled))

    def relative_to(self, other: CurveArea) -> Area | None:
        """As a share of the area of the same episodes under ``other``; None where that is 0.

        Resampled episodes of which ``other`` makes nothing have no share, and are left out.
        """
        if other.value <= 0:
            return None
        some = other.resampled > 0
        return Area(self.value / other.value, _interval(self.resampled[some] / other.resampled[some]))


def curve_area(scores: Sequence[Score], yardstick: Yardstick) -> CurveArea | None:
    """Mean height of the curve of normalised returns from severity 0 on, by trapezia.

    Heights are limited to 0…1, so that one disaster cannot outweigh all the rest. Curves over the same
    episodes are resampled alike, so that they can be compared. None where returns cannot be normalised.
    """
    way = yardstick.way
    if way is None:
        return None
    returns = np.stack([score.each for score in scores])
    episodes = returns.shape[1]
    rng = np.random.default_rng(BOOTSTRAP_SEED)
    chosen = rng.integers(0, episodes, size=(RESAMPLES, episodes))
    means = np.stack([own[chosen].mean(axis=1) for own in returns])
    heights = (np.column_stack([returns.mean(axis=1), means]) - yardstick.zero.mean()) / way
    limited = np.clip(heights, 0.0, 1.0)
    areas = (0.5 * (limited[1:] + limited[:-1])).mean(axis=0)
    return CurveArea(float(areas[0]), areas[1:])


def _interval(values: FloatArray) -> tuple[float, float]:
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)
