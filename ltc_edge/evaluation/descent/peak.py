"""Whether a curve over width has a peak, or only the ups and downs of its seeds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ltc_edge.arrays import FloatArray

SIGNIFICANCE = 0.05
PERMUTATIONS = 4000
PERMUTATION_SEED = 0
_AT_ONCE = 500


@dataclass(frozen=True)
class Peak:
    """The most prominent peak of a curve.

    Attributes:
        index: which width.
        left, right: where the curve is lowest on either side.
        rise, fall: height over those: of squared errors a factor, else a difference.
        p_value: share of curves without any order in width that have a peak as prominent.
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

    A peak's prominence is its height over the higher of the lowest points on its two sides. Were width of no
    effect, the errors of a seed could be shuffled over the widths: a permutation test, exact whatever
    the distribution, and a cautious one for curves that rise or fall throughout.

    Args:
        errors: ``[widths, seeds]``, three widths or more.
        logarithmic: compare errors by their ratios.
    """
    heights = np.log(np.maximum(errors, 1e-30)) if logarithmic else errors
    mean = heights.mean(axis=1)
    index, prominence = _prominence(mean[None])
    if prominence[0] <= 0.0:
        return None
    peak = int(index[0])
    left = int(mean[:peak].argmin())
    right = peak + 1 + int(mean[peak + 1 :].argmin())
    rise, fall = float(mean[peak] - mean[left]), float(mean[peak] - mean[right])
    if logarithmic:
        rise, fall = float(np.exp(rise)), float(np.exp(fall))
    return Peak(peak, left, right, rise, fall, _p_value(heights, float(prominence[0])))


def _prominence(curves: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Index and prominence of the most prominent peak of each curve ``[K, widths]``; negative: none."""
    before = np.minimum.accumulate(curves, axis=1)[:, :-2]
    after = np.minimum.accumulate(curves[:, ::-1], axis=1)[:, ::-1][:, 2:]
    prominence = curves[:, 1:-1] - np.maximum(before, after)
    index = prominence.argmax(axis=1)
    return index + 1, np.take_along_axis(prominence, index[:, None], axis=1)[:, 0]


def _p_value(heights: FloatArray, prominence: float) -> float:
    """With the curve itself among the shuffled ones, so that it is never 0 (Phipson and Smyth 2010)."""
    rng = np.random.default_rng(PERMUTATION_SEED)
    as_prominent = 1
    for _ in range(PERMUTATIONS // _AT_ONCE):
        shuffled = rng.permuted(np.broadcast_to(heights, (_AT_ONCE, *heights.shape)), axis=1)
        as_prominent += int((_prominence(shuffled.mean(axis=2))[1] >= prominence - 1e-12).sum())
    return as_prominent / (PERMUTATIONS + 1)
