"""Linear least squares on either side of the interpolation threshold, in closed form."""

from __future__ import annotations

import numpy as np

from ltc_edge.arrays import FloatArray

PENALTIES = np.logspace(-12, 2, 57)
"""Ridge penalties that are tried, as shares of the mean square of the singular values."""


def minimum_norm(features: FloatArray, targets: FloatArray) -> FloatArray:
    """The least-squares weights of smallest norm: where more than one fits best, as where ``N > n``.

    Gradient descent from zero goes to the same weights (Hastie et al. 2022, proposition 1).

    Args:
        features: ``[n, N]``.
        targets: ``[n, M]``.

    Returns:
        Weights ``[N, M]``.
    """
    weights: FloatArray = np.linalg.lstsq(features, targets, rcond=None)[0]
    return weights


def ridge(features: FloatArray, targets: FloatArray) -> FloatArray:
    """Weights with the penalty on their norm, of `PENALTIES`, whose leave-one-out error is least.

    The leave-one-out residuals of a ridge are ``r_i / (1 − h_ii)``, with ``h`` the diagonal of the hat matrix
    (Hastie, Tibshirani and Friedman, The Elements of Statistical Learning, equation 7.64): nothing is
    learned from the test windows.

    Args:
        features: ``[n, N]``.
        targets: ``[n, M]``.

    Returns:
        Weights ``[N, M]``.
    """
    left, values, right = np.linalg.svd(features, full_matrices=False)
    rotated = left.T @ targets
    square = values**2
    best, best_error = np.zeros((features.shape[1], targets.shape[1])), np.inf
    for penalty in PENALTIES * square.mean():
        kept = square / (square + penalty)
        residual = targets - left @ (kept[:, None] * rotated)
        left_out = residual / np.maximum(1.0 - (left**2 @ kept), 1e-15)[:, None]
        error = float(np.mean(left_out**2))
        if error < best_error:
            weights = right.T @ ((values / (square + penalty))[:, None] * rotated)
            best, best_error = weights, error
    return best
