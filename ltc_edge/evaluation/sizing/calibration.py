"""What the estimators give on manifolds whose dimension is known, and so what a figure of theirs means.

With few points in many dimensions, neighbourhoods are as large as the data, and neighbours say too small a
dimension. On a sphere this can be computed: seen from any of ``n + 1`` uniform points of the d-sphere,
r²/4 of the others is distributed as Beta(d/2, d/2), so that r_k is its quantile at the k-th order statistic
of n uniform numbers, which is distributed as Beta(k, n + 1 − k).

A sphere bends within one direction more than it has. What bends within more of them, joints that turn for
example, has neighbours that see the space it bends in, and they say too large a dimension. The other extreme
is a product of circles, which bends within as many again (`circles`). How many directions points fill, their
participation ratio P tells: d + 1 on a sphere, 2d on a product of circles, at most d where nothing bends. So
d is taken between what the two manifolds say, as far along as P is between d + 1 and 2d.
"""

from __future__ import annotations

import numpy as np

from ltc_edge.arrays import FloatArray
from ltc_edge.errors import require
from ltc_edge.evaluation.sizing.circles import MOST as MOST_CIRCLES
from ltc_edge.evaluation.sizing.circles import log_distance_quantiles

LEAST, MOST = 0.25, 64.0
"""Dimensions that are told apart; beyond them an estimate is cut off."""

GRID = np.geomspace(LEAST, MOST, 33)
"""Between them it is interpolated, to 0.1 % of the dimension."""
NODES = 16
"""Of Gauss and Legendre, over the quantiles of an order statistic; what is integrated is smooth."""


_ROUNDS = 60
"""Of the iteration for a dimension that its own bending depends on: it falls, at last by nothing."""


def mean_log_distance(dimension: FloatArray, order: FloatArray, others: float) -> FloatArray:
    """``E[log r_k]`` on the sphere of each ``dimension`` ``(d,)`` for each ``order`` ``(k,)``, ``(d, k)``."""
    special = require("scipy.special", "train")
    share, weight = _quantiles(order, others)
    half = 0.5 * dimension[:, None, None]
    log_r = 0.5 * np.log(special.betaincinv(half, half, share[None]))
    return _mean(log_r, share, weight, dimension, order, others)


def mean_log_distance_on_circles(order: FloatArray, others: float) -> FloatArray:
    """``E[log r_k]`` on products of 1 to `MOST_CIRCLES` circles, as `mean_log_distance`."""
    share, weight = _quantiles(order, others)
    log_r = log_distance_quantiles(share)
    return _mean(log_r, share, weight, np.arange(1.0, MOST_CIRCLES + 1.0), order, others)


def _quantiles(order: FloatArray, others: float) -> tuple[FloatArray, FloatArray]:
    """Shares of the points within r_k at the nodes of a mean over them, ``(k, nodes)``, and their weights."""
    special = require("scipy.special", "train")
    node, weight = np.polynomial.legendre.leggauss(NODES)
    share = special.betaincinv(order[:, None], others + 1.0 - order[:, None], 0.5 * (node + 1.0))
    return share, 0.5 * weight


def _mean(
    log_r: FloatArray,
    share: FloatArray,
    weight: FloatArray,
    dimension: FloatArray,
    order: FloatArray,
    others: float,
) -> FloatArray:
    """The mean of ``log_r`` ``(d, k, nodes)``."""
    special = require("scipy.special", "train")
    # log share is not smooth where it is small, but its mean is known.
    smooth = log_r - np.log(share)[None] / dimension[:, None, None]
    known = (special.digamma(order) - special.digamma(others + 1.0))[None] / dimension[:, None]
    mean: FloatArray = smooth @ weight + known
    return mean


class Calibration:
    """Turns the mean of `neighbour_ratios` into the dimension of a manifold that would have it.

    Args:
        orders: k of each scale.
        others: points that may be neighbours of one.
    """

    def __init__(self, orders: tuple[int, ...], others: float) -> None:
        k = np.array(orders, dtype=np.float64)
        self._sphere = mean_log_distance(GRID, 2.0 * k, others) - mean_log_distance(GRID, k, others)
        self._circles = mean_log_distance_on_circles(2.0 * k, others) - mean_log_distance_on_circles(
            k, others
        )

    def dimension(self, ratio: FloatArray, participation: FloatArray) -> FloatArray:
        """Dimensions for means of log ratios ``(..., scales)`` of points with ``participation`` ``(...)``."""
        log_sphere = _log_dimension(ratio, self._sphere, np.log(GRID))
        log_circles = _log_dimension(ratio, self._circles, np.log(np.arange(1.0, MOST_CIRCLES + 1.0)))
        log_circles = np.minimum(log_circles, log_sphere)
        d = np.exp(log_sphere)
        for _ in range(_ROUNDS):  # from above: no more is taken off than the points fill directions for
            room = (
                d - 1.0
            )  # between what a sphere fills and what circles do; there is none where they are one
            bending = np.clip(participation[..., None] - (d + 1.0), 0.0, np.maximum(room, 0.0))
            bending = bending / np.where(room > 0.0, room, 1.0)
            d = np.exp(log_sphere + bending * (log_circles - log_sphere))
        return d


def _log_dimension(ratio: FloatArray, known: FloatArray, log_dimension: FloatArray) -> FloatArray:
    """Where each scale's ``known`` ratios ``(d, scales)`` are ``ratio`` ``(..., scales)``."""
    # The ratio falls with the dimension, about as 1/d: in logarithms it is nearly a straight line.
    columns = [
        np.interp(-np.log(ratio[..., i]), -np.log(known[:, i]), log_dimension) for i in range(known.shape[1])
    ]
    return np.stack(columns, axis=-1)
