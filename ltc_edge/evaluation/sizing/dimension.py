"""The effective dimension of data: three estimators against scale, and the figure made of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ltc_edge.arrays import FloatArray, IntArray
from ltc_edge.evaluation.sizing.calibration import Calibration
from ltc_edge.evaluation.sizing.estimators import (
    harmonic,
    inverse_mle,
    neighbour_ratios,
    participation_ratio,
)
from ltc_edge.evaluation.sizing.neighbours import candidates, log_distances
from ltc_edge.evaluation.sizing.points import Points

LARGEST_SCALE_SHARE = 0.25
"""Share of the points that a neighbourhood of the largest scale holds."""

PLATEAU = 3
"""Successive scales, each twice the one before, whose agreement makes an estimate."""

FLAT = 0.15
"""Estimates of a plateau differ at most by this share; else there is none, which is said."""

NOISY = 0.5
"""Share by which noise, where it is all that small scales see, exceeds what is seen beyond it."""

RESAMPLES = 400


@dataclass(frozen=True)
class Estimate:
    """A figure and its 95 % percentile bootstrap interval over stretches of time."""

    value: float
    ci95: tuple[float, float]


@dataclass(frozen=True)
class Scale:
    """What neighbourhoods of one size say.

    Attributes:
        order: k: distances to the k-th and to the 2k-th neighbour are compared; TwoNN's own scale is 1.
        share: of the points that a neighbourhood holds.
        radius: geometric mean of the distance to the 2k-th neighbour, in standard deviations a column.
        two_nn: as published.
        mle: as published, of 2k neighbours.
        calibrated: `two_nn` by what it gives on known manifolds; see `Calibration`.
    """

    order: int
    share: float
    radius: float
    two_nn: Estimate
    mle: Estimate
    calibrated: Estimate


@dataclass(frozen=True)
class Dimension:
    """The effective dimension of a set of points.

    Attributes:
        points: that were compared.
        repeated: share of the points drawn that repeated another.
        apart: rows by which neighbours are apart in time at least.
        columns: that move; the estimate is no larger.
        participation_ratio: of the covariance.
        scales: from the smallest.
        plateau: indexes of the scales that the estimate is the mean of.
        estimate: the effective dimension.
        steady: whether the scales of the plateau agree within `FLAT`.
    """

    points: int
    repeated: float
    apart: int
    columns: int
    participation_ratio: Estimate
    scales: tuple[Scale, ...]
    plateau: tuple[int, ...]
    estimate: Estimate
    steady: bool


def effective_dimension(
    points: Points, seed: int, on_share: Callable[[float], None] = lambda _: None
) -> Dimension:
    """Estimate the dimension of ``points``; the same points and seed give the same figures.

    Neighbours see noise at small scales and curvature and edges at large ones. Between them is a plateau: the
    `PLATEAU` successive scales whose calibrated estimates agree best (`find_plateau`). The estimate is their
    geometric mean.

    Raises:
        RecordingError: too few points that are far enough apart in time.
        MissingExtraError: SciPy is not installed.
    """
    others = candidates(points)
    orders = scale_orders(others)
    log_r = log_distances(points, 2 * orders[-1])
    on_share(0.5)
    weight = _resampled_weights(points, np.random.default_rng(seed))
    ratio = weight @ np.stack([neighbour_ratios(log_r, k) for k in orders], axis=1)
    inverse = weight @ np.stack([inverse_mle(log_r, 2 * k) for k in orders], axis=1)
    columns = points.values.shape[1]
    participation = np.array([participation_ratio(points.values, each) for each in weight])
    # Of few points the eigenvalues spread, and as many directions look like fewer.
    unbiased = participation / (1.0 - participation / len(points))
    calibrated = Calibration(orders, others).dimension(ratio, unbiased)
    plateau = find_plateau(calibrated[0])
    chosen = calibrated[:, plateau]
    scales = tuple(
        Scale(
            order=k,
            share=2 * k / others,
            radius=float(np.exp(log_r[:, 2 * k - 1].mean()) / np.sqrt(columns)),
            two_nn=_estimate(harmonic(k, 2 * k) / ratio[:, i]),
            mle=_estimate(1.0 / inverse[:, i]),
            calibrated=_estimate(calibrated[:, i]),
        )
        for i, k in enumerate(orders)
    )
    on_share(0.7)
    return Dimension(
        points=len(points),
        repeated=points.repeated,
        apart=points.apart,
        columns=columns,
        participation_ratio=_estimate(participation),
        scales=scales,
        plateau=tuple(plateau.tolist()),
        estimate=_estimate(np.minimum(np.exp(np.log(chosen).mean(axis=1)), columns)),
        steady=bool(np.ptp(chosen[0]) <= FLAT * chosen[0].mean()),
    )


def scale_orders(others: float) -> tuple[int, ...]:
    """1, 2, 4, … as long as 2k neighbours are at most `LARGEST_SCALE_SHARE` of the ``others``."""
    largest = max(LARGEST_SCALE_SHARE * others / 2.0, 2.0 ** (PLATEAU - 1))
    return tuple(2**power for power in range(int(np.log2(largest)) + 1))


def find_plateau(dimension: FloatArray) -> IntArray:
    """Indexes of the `PLATEAU` successive ``dimension`` ``(scales,)`` that differ least, relatively.

    Not every flat stretch is one. Above what smaller scales say by more than `FLAT`, it is that of the space
    that a curved manifold fills; above what larger scales say by more than `NOISY`, that of noise. Where no
    estimates agree within `FLAT`, they are those of the largest scales if they fall with scale, for noise is
    what makes them fall, and of the smallest if they rise, as curvature makes them.
    """
    windows = np.lib.stride_tricks.sliding_window_view(dimension, PLATEAU)
    mean = windows.mean(axis=1)
    allowed = (mean <= (1.0 + FLAT) * np.minimum.accumulate(mean)) & (mean <= (1.0 + NOISY) * mean.min())
    spread = np.where(allowed, np.ptp(windows, axis=1) / mean, np.inf)
    if spread.min() <= FLAT:
        first = int(np.argmin(spread))
    else:
        first = len(windows) - 1 if dimension[-1] < dimension[0] else 0
    return np.arange(first, first + PLATEAU)


def _resampled_weights(points: Points, rng: np.random.Generator) -> FloatArray:
    """Weights of the points, ``(1 + RESAMPLES, N)``, each row's sum 1: all alike, then resampled.

    What is drawn with replacement are stretches of time as long as the data remember. Distances stay as they
    are: among points drawn twice there would be none.
    """
    stretch = points.segment * (1 + int(points.row.max()) // max(points.apart, 1)) + (
        points.row // max(points.apart, 1)
    )
    _, block = np.unique(stretch, return_inverse=True)
    blocks = int(block.max()) + 1
    drawn = rng.multinomial(blocks, np.full(blocks, 1.0 / blocks), size=RESAMPLES)
    weight = np.concatenate([np.ones((1, len(points))), drawn[:, block]])
    result: FloatArray = weight / weight.sum(axis=1, keepdims=True)
    return result


def _estimate(values: FloatArray) -> Estimate:
    """The first of ``values``, and the interval of the others, which were resampled."""
    low, high = np.percentile(values[1:], [2.5, 97.5])
    return Estimate(float(values[0]), (float(low), float(high)))
