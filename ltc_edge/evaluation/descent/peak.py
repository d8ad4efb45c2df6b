"""Whether a curve over width has a peak, or only the ups and downs of its seeds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ltc_edge.arrays import FloatArray
from ltc_edge.errors import require

SIGNIFICANCE = 0.05
SMALLEST = 1e-30  # before logarithms


@dataclass(frozen=True)
class Peak:
    """The most prominent peak of a curve.

    Attributes:
        index: which width.
        left, right: where the curve is lowest on either side.
        rise, fall: height over those: of squared errors a factor, else a difference.
        p_value: how well chance explains it; see `most_prominent`.
    """

    index: int
    left: int
    right: int
    rise: float
    fall: float
    p_value: float

    @property
    def is_seen(self) -> bool:
        """Whether chance explains it badly."""
        return self.p_value <= SIGNIFICANCE


def most_prominent(errors: FloatArray, *, logarithmic: bool) -> Peak | None:
    """The most prominent peak of the mean over seeds; None where the curve never rises and falls again.

    A peak's prominence is its height over the higher of the lowest points on its two sides. Among many widths
    chance makes one too. So each seed is asked in turn about the peak and the two low points that the
    *others* have: how much its own error rises and falls between them. The p-value is that of the rise or the
    fall, whichever is worse, by a one-sided t test; its variance is enlarged because those choices share
    seeds (Nadeau and Bengio 2003).

    Args:
        errors: ``[widths, seeds]``, three widths or more and two seeds or more.
        logarithmic: compare errors by their ratios.

    Raises:
        MissingExtraError: SciPy is not installed.
    """
    heights = np.log(np.maximum(errors, SMALLEST)) if logarithmic else errors
    left, peak, right = _summit(heights.mean(axis=1))
    mean = heights.mean(axis=1)
    rise, fall = float(mean[peak] - mean[left]), float(mean[peak] - mean[right])
    if min(rise, fall) <= 0.0:
        return None
    p_value = _p_value(heights)
    if logarithmic:
        rise, fall = float(np.exp(rise)), float(np.exp(fall))
    return Peak(peak, left, right, rise, fall, p_value)


def _summit(mean: FloatArray) -> tuple[int, int, int]:
    """Indexes of the most prominent peak of ``mean``, ``[widths]``, with the lowest points beside it."""
    before = np.minimum.accumulate(mean)[:-2]
    after = np.minimum.accumulate(mean[::-1])[::-1][2:]
    peak = 1 + int((mean[1:-1] - np.maximum(before, after)).argmax())
    return int(mean[:peak].argmin()), peak, peak + 1 + int(mean[peak + 1 :].argmin())


def _p_value(heights: FloatArray) -> float:
    """Of a peak in ``heights``, ``[widths, seeds]``, that is chosen and measured on different seeds."""
    stats = require("scipy.stats", "train")
    seeds = heights.shape[1]
    changes = []
    for seed in range(seeds):
        left, peak, right = _summit(np.delete(heights, seed, axis=1).mean(axis=1))
        own = heights[:, seed]
        changes.append((own[peak] - own[left], own[peak] - own[right]))
    mean, deviation = np.mean(changes, axis=0), np.std(changes, axis=0, ddof=1)
    error = np.maximum(deviation, np.finfo(np.float64).tiny) * np.sqrt(1.0 / seeds + 1.0 / (seeds - 1))
    return float(stats.t.sf(mean / error, seeds - 1).max())
