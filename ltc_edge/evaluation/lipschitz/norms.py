"""Norms of matrices that are known to within a ball an entry."""

from __future__ import annotations

import numpy as np

from ltc_edge.arrays import BoolArray
from ltc_edge.evaluation.lipschitz.balls import Array, Ball

SLACK = 2.0**-36
"""More than a decomposition or a sum of a few thousand entries is off by, relative to the Frobenius norm."""


def spectral_above(matrix: Ball) -> Array:
    """At least the spectral norm of every matrix in the ball, ``(B,)`` for ``(B, M, d)``.

    The least of three bounds: the Frobenius norm of the entries' magnitudes; √(‖·‖₁ ‖·‖∞) of them; and
    ‖mid‖₂ + ‖rad‖_F, by the triangle inequality. Infinite where nothing is known of an entry.
    """
    unknown, mid, rad = _known(matrix)
    magnitude = np.abs(mid) + rad
    frobenius = _frobenius(magnitude)
    mixed = np.sqrt(magnitude.sum(axis=1).max(axis=1)) * np.sqrt(magnitude.sum(axis=2).max(axis=1))
    split = _spectral(mid) + _frobenius(rad)
    least = np.minimum(np.minimum(frobenius, mixed), split) + SLACK * frobenius
    return np.where(unknown, np.inf, least)


def spectral_below(matrix: Ball) -> Array:
    """At most the spectral norm of every matrix in the ball, ``(B,)``; 0 where nothing is known."""
    unknown, mid, rad = _known(matrix)
    below = _spectral(mid) * (1.0 - SLACK) - _frobenius(rad) * (1.0 + SLACK)
    return np.where(unknown | ~np.isfinite(below), 0.0, np.maximum(below, 0.0))


def _known(matrix: Ball) -> tuple[BoolArray, Array, Array]:
    """Of which matrices not all is known, ``(B,)``; midpoints and radii, with zeros in those."""
    unknown: BoolArray = np.asarray(~np.isfinite(matrix.mid + matrix.rad).all(axis=(1, 2)))
    mid, rad = (np.where(unknown[:, None, None], 0.0, part) for part in (matrix.mid, matrix.rad))
    return unknown, mid, rad


def _frobenius(matrix: Array) -> Array:
    # Scaled, as squares of explicit solvers' derivatives overflow long before they do.
    largest = np.abs(matrix).max(axis=(1, 2), initial=1.0)
    share = matrix / largest[:, None, None]
    result: Array = largest * np.sqrt((share * share).sum(axis=(1, 2)))
    return result


def _spectral(matrix: Array) -> Array:
    if matrix.shape[1] == 1 or matrix.shape[2] == 1:
        return _frobenius(matrix)
    return np.asarray(np.linalg.svd(matrix, compute_uv=False)[:, 0], dtype=np.float64)
