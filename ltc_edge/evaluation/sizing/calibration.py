"""What the estimators give on a manifold whose dimension is known, and so what a figure of theirs means.

With few points in many dimensions, neighbourhoods are as large as the data, and neighbours say too small a
dimension. On a sphere this can be computed: seen from any of ``n + 1`` uniform points of the d-sphere,
r²/4 of the others is distributed as Beta(d/2, d/2), so that r_k is its quantile at the k-th order statistic
of n uniform numbers, which is distributed as Beta(k, n + 1 − k).
"""

from __future__ import annotations

import numpy as np

from ltc_edge.arrays import FloatArray
from ltc_edge.errors import require

LEAST, MOST = 0.25, 64.0
"""Dimensions that are told apart; beyond them an estimate is cut off."""

GRID = np.geomspace(LEAST, MOST, 33)
"""Between them it is interpolated, to 0.1 % of the dimension."""
NODES = 16
"""Of Gauss and Legendre, over the quantiles of an order statistic; what is integrated is smooth."""


def mean_log_distance(dimension: FloatArray, order: FloatArray, others: float) -> FloatArray:
    """``E[log r_k]`` on the sphere of each ``dimension`` ``(d,)`` for each ``order`` ``(k,)``, ``(d, k)``."""
    special = require("scipy.special", "train")
    node, weight = np.polynomial.legendre.leggauss(NODES)
    share = special.betaincinv(order[:, None], others + 1.0 - order[:, None], 0.5 * (node + 1.0))
    half = 0.5 * dimension[:, None, None]
    log_r = 0.5 * np.log(special.betaincinv(half, half, share[None]))
    # log share is not smooth where it is small, but its mean is known.
    smooth = log_r - np.log(share)[None] / dimension[:, None, None]
    known = (special.digamma(order) - special.digamma(others + 1.0))[None] / dimension[:, None]
    mean: FloatArray = smooth @ (0.5 * weight) + known
    return mean


class Calibration:
    """Turns the mean of `neighbour_ratios` into the dimension of the sphere that would have it.

    Args:
        orders: k of each scale.
        others: points that may be neighbours of one.
    """

    def __init__(self, orders: tuple[int, ...], others: float) -> None:
        k = np.array(orders, dtype=np.float64)
        self._ratio = mean_log_distance(GRID, 2.0 * k, others) - mean_log_distance(GRID, k, others)

    def dimension(self, ratio: FloatArray) -> FloatArray:
        """Dimensions for means of log ratios ``(..., scales)``."""
        # The ratio falls with the dimension, about as 1/d: in logarithms it is nearly a straight line.
        columns = [
            np.exp(np.interp(-np.log(ratio[..., i]), -np.log(self._ratio[:, i]), np.log(GRID)))
            for i in range(self._ratio.shape[1])
        ]
        return np.stack(columns, axis=-1)
