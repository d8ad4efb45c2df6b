"""Means of returns, and how sure they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ltc_edge.arrays import FloatArray

RESAMPLES = 10_000
BOOTSTRAP_SEED = 0


@dataclass(frozen=True)
class ReturnStatistics:
    """Returns of a number of episodes.

    Attributes:
        mean, std: over the episodes; the deviation has no Bessel correction, as published tables have it.
        ci95: percentile bootstrap interval of the mean (Efron 1979), ``(low, high)``.
        lowest: the worst episode.
    """

    mean: float
    std: float
    ci95: tuple[float, float]
    lowest: float


def return_statistics(returns: FloatArray) -> ReturnStatistics:
    """Statistics of ``returns``, shape ``(E,)``, ``E ≥ 1``; the same returns give the same interval."""
    rng = np.random.default_rng(BOOTSTRAP_SEED)
    chosen = rng.integers(0, len(returns), size=(RESAMPLES, len(returns)))
    low, high = np.percentile(returns[chosen].mean(axis=1), [2.5, 97.5])
    return ReturnStatistics(
        float(returns.mean()), float(returns.std()), (float(low), float(high)), float(returns.min())
    )
