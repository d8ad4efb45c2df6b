"""Distances on a product of circles, whose volume is known where a sphere's curvature does not fit.

Seen from a uniform point of the product of d unit circles, half the squared distance of another is
``s = Σ (1 − cos θ_i)`` with d independent uniform angles. The share of points within s follows from that of
one circle less, ``F_d(s) = (1/π) ∫ F_{d−1}(s − (1 − cos θ)) dθ`` over the θ from 0 that leave something.
"""

from __future__ import annotations

import functools

import numpy as np

from ltc_edge.arrays import FloatArray

MOST = 64
"""Circles at most."""

_HALF_SQUARES = np.geomspace(1e-14, 2.0 * MOST, 600)
_NODES = 96
_NOTHING = 1e-300


@functools.cache
def log_shares() -> FloatArray:
    """Logarithms of the shares of the points within each of `_HALF_SQUARES`; row d − 1 is of d circles."""
    log_s = np.log(_HALF_SQUARES)
    # θ = θ_max sin v: what F_{d−1} is near 0, a power of what is left, is smooth in v.
    node, weight = np.polynomial.legendre.leggauss(_NODES)
    v, weight = 0.25 * np.pi * (node + 1.0), 0.25 * np.pi * weight
    furthest = 2.0 * np.arcsin(np.sqrt(np.minimum(0.5 * _HALF_SQUARES, 1.0)))
    theta = furthest[:, None] * np.sin(v)
    share_of_arc = furthest[:, None] * np.cos(v) * weight / np.pi
    left = np.log(np.maximum(_HALF_SQUARES[:, None] - 2.0 * np.sin(0.5 * theta) ** 2, _NOTHING))
    shares = [np.log(furthest / np.pi)]
    for circles in range(2, MOST + 1):
        # Small volumes are powers of s: that power is exact, and only what it leaves is interpolated.
        power = 0.5 * (circles - 1)
        inner = np.interp(left, log_s, shares[-1] - power * log_s) + power * np.minimum(left, log_s[-1])
        share = np.sum(np.exp(inner) * share_of_arc, axis=1)
        shares.append(np.log(np.clip(share, _NOTHING, 1.0)))
    return np.stack(shares)


def log_distance_quantiles(share: FloatArray) -> FloatArray:
    """Logarithms of the distances within which each ``share`` ``(...)`` of the points lies, ``(MOST, ...)``.

    To 1 % for shares up to a half; beyond, of few circles, the furthest points are all but equally far.
    """
    log_share, log_s = np.log(share), np.log(2.0 * _HALF_SQUARES)
    return np.stack([0.5 * _inverse(row, log_s, log_share) for row in log_shares()])


def _inverse(rising: FloatArray, argument: FloatArray, value: FloatArray) -> FloatArray:
    """Where ``rising``, sampled at ``argument``, has each ``value``; its flat ends are left out."""
    strictly = np.concatenate([np.diff(rising) > 0.0, [False]])
    result: FloatArray = np.interp(value, rising[strictly], argument[strictly])
    return result
