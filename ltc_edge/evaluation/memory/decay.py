"""From gradient norms by lag to two figures: how far they reach, and how fast they fall."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ltc_edge.arrays import FloatArray

HORIZON_SHARE = 0.01
"""Of its peak: a gradient below it is taken to have vanished."""

FIT_SHARE = 1e-9
"""Of its peak: smaller gradients are not fitted, so that rounding does not bend the line."""

FEWEST_FITTED = 3
"""Lags; a line through two points fits whatever they are."""


@dataclass(frozen=True, eq=False)
class Decay:
    """Gradient norms by lag, and what they amount to.

    Attributes:
        norm: of the gradient at lags 0, 1, …, ``(L,)``.
        horizon: last lag at which it is at least `HORIZON_SHARE` of its peak; None where that is the last lag
            measured, so that it reaches further than was looked.
        rate: factor from one lag to the next of the exponential fitted from the peak on; None where there
            is too little to fit.
        r_squared: of the fit, on the logarithm; None without one.
    """

    norm: FloatArray
    horizon: int | None
    rate: float | None
    r_squared: float | None

    @property
    def share(self) -> FloatArray:
        """Norms over their peak, ``(L,)``; zeros where all are."""
        peak = self.norm.max()
        return self.norm / peak if peak > 0 else self.norm

    def reaches(self, lag: int) -> bool:
        """Whether the gradient has not vanished at ``lag``; past what was measured nothing is claimed."""
        return self.horizon is None or lag <= self.horizon

    @property
    def lags_to_e(self) -> float | None:
        """Lags in which the fitted gradient falls by e; None where it does not fall."""
        return None if self.rate is None or not 0 < self.rate < 1 else float(-1.0 / np.log(self.rate))


def decay_of(norm: FloatArray) -> Decay:
    """Horizon and rate of gradient norms at lags 0, 1, …, ``(L,)``.

    A gradient that comes back after it had vanished counts: the horizon is the last lag above the threshold.
    """
    peak = float(norm.max())
    above = np.flatnonzero(norm >= HORIZON_SHARE * peak) if peak > 0 else np.array([0])
    last = int(above[-1])
    rate, r_squared = _fit(norm, peak)
    return Decay(norm, None if last == len(norm) - 1 and peak > 0 else last, rate, r_squared)


def _fit(norm: FloatArray, peak: float) -> tuple[float | None, float | None]:
    """Rate and R² of ``log norm`` against lag by least squares, from the peak on."""
    lag = np.arange(len(norm))
    fitted = (lag >= norm.argmax()) & (norm > FIT_SHARE * peak)
    if fitted.sum() < FEWEST_FITTED:
        return None, None
    logarithm = np.log(norm[fitted])
    slope, offset = np.polyfit(lag[fitted], logarithm, 1)
    spread = logarithm.var()
    if spread == 0:
        return 1.0, None
    missed = np.mean((logarithm - (slope * lag[fitted] + offset)) ** 2)
    return float(np.exp(slope)), float(1.0 - missed / spread)
