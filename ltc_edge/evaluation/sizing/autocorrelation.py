"""How long a signal remembers: integrated autocorrelation times, and what they leave of a number of rows.

Neighbouring rows of a recording are nearly the same, so that a million rows may hold a few hundred facts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ltc_edge.arrays import BoolArray, FloatArray

WINDOW_TIMES = 5.0
"""Lags summed, in units of the time that they sum to: Sokal's automatic window (1997) with c = 5."""

LONGEST_LAG_SHARE = 0.5
"""Lags up to this share of the longest segment are looked at: later ones rest on too few pairs."""


@dataclass(frozen=True, eq=False)
class Memory:
    """Integrated autocorrelation times of ``C`` columns.

    Attributes:
        rows: of each column, ``(C,)``, at least 1: rows that weigh as much as one independent row. A column
            that never changes has 1, for it says nothing.
        resolved: whether the sum had settled before the longest lag, ``(C,)``. Otherwise the true time may
            be any longer one.
    """

    rows: FloatArray
    resolved: BoolArray

    @property
    def slowest(self) -> int:
        """The column that remembers longest; of equal ones the first."""
        return int(np.argmax(self.rows))

    @property
    def longest(self) -> float:
        """Rows that the slowest column remembers."""
        return float(self.rows.max())

    @property
    def all_resolved(self) -> bool:
        """Whether every column's time is known, and not only a bound below."""
        return bool(self.resolved.all())


def memory_of(segments: Sequence[FloatArray]) -> Memory:
    """Integrated autocorrelation times of the columns of ``segments``, arrays ``(T_k, C)``.

    A column's time is the larger of ``1 + 2·Σρ(t)`` and ``1 + 2·Σρ(t)²``: what independent rows are worth
    for a mean, and (Bartlett 1946) for a variance. They are (1+φ)/(1−φ) and (1+φ²)/(1−φ²) for a first-order
    autoregression. The first alone would be below 1 for a signal that swings to and fro, as if its rows said
    more than independent ones. Lags are summed up to `WINDOW_TIMES` times the sum itself (Sokal 1997).
    """
    rho = autocorrelation(segments)
    first, settled_first = _settled(1.0 + 2.0 * np.cumsum(rho[1:], axis=0))
    second, settled_second = _settled(1.0 + 2.0 * np.cumsum(rho[1:] ** 2, axis=0))
    moves = rho[0] > 0
    rows = np.where(moves, np.maximum(1.0, np.maximum(first, second)), 1.0)
    return Memory(rows, (settled_first & settled_second) | ~moves)


def autocorrelation(segments: Sequence[FloatArray]) -> FloatArray:
    """Autocorrelation ``(lags, C)`` over all pairs of rows of one segment, about the common mean.

    Row ``t`` is lag ``t``; row 0 is 1, or 0 for a column that never changes, as its other rows are.
    """
    longest = max(len(segment) for segment in segments)
    lags = max(2, int(LONGEST_LAG_SHARE * longest) + 1)
    values = np.concatenate(segments)
    mean, spread = values.mean(axis=0), values.std(axis=0)
    moves = np.ptp(values, axis=0) > 0  # rounding gives a constant a small deviation
    scale = np.where(moves & (spread > 0), spread, 1.0)
    size = 1 << (longest + lags - 1).bit_length()  # zeros enough that no end meets the beginning
    products = np.zeros((lags, values.shape[1]))
    pairs = np.zeros(lags)
    for segment in segments:
        spectrum = np.fft.rfft((segment - mean) / scale, size, axis=0)
        products += np.fft.irfft(np.abs(spectrum) ** 2, size, axis=0)[:lags]
        pairs += np.maximum(len(segment) - np.arange(lags), 0)
    return np.where(moves, products / np.maximum(pairs, 1)[:, None], 0.0)


def _settled(sums: FloatArray) -> tuple[FloatArray, BoolArray]:
    """The running sums ``(lags, C)`` at the first lag that is long enough, and whether there is one."""
    lag = np.arange(1, len(sums) + 1)[:, None]
    enough = lag >= WINDOW_TIMES * sums
    found = enough.any(axis=0)
    at = np.where(found, enough.argmax(axis=0), len(sums) - 1)
    return np.take_along_axis(sums, at[None], axis=0)[0], np.asarray(found)


def independent_rows(lengths: Sequence[int], apart: float) -> float:
    """What ``lengths`` rows, one number a segment, are worth where one in ``apart`` is independent.

    Segments are taken to be independent of each other, so that each is worth one at least.
    """
    return float(sum(max(1.0, length / apart) for length in lengths))
