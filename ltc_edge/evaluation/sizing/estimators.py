"""The three estimators of dimension, as published, uncorrected.

Two of them rest on one fact: where density is constant over a neighbourhood of dimension d, the logarithms
d·log r of the volumes that hold k and m > k neighbours differ by a sum of independent exponentials,
``E[log r_m − log r_k] = (1/k + … + 1/(m−1)) / d``.
"""

from __future__ import annotations

import numpy as np

from ltc_edge.arrays import FloatArray


def participation_ratio(values: FloatArray, weight: FloatArray | None = None) -> float:
    """``(Σλ)² / Σλ²`` of the eigenvalues λ of the covariance of ``values`` ``(N, D)``: between 1 and D.

    The number of directions that share the variance: of linear subspaces their dimension where all directions
    move alike, of curved ones that of the space they fill. ``weight``, ``(N,)`` of sum 1, weighs the points.
    """
    weight = np.full(len(values), 1.0 / len(values)) if weight is None else weight
    centred = (values - weight @ values) * np.sqrt(weight)[:, None]
    covariance = centred.T @ centred
    return float(np.trace(covariance) ** 2 / np.sum(covariance**2))


def neighbour_ratios(log_r: FloatArray, order: int) -> FloatArray:
    """``log r_2k − log r_k`` of every point, ``(N,)``, for ``k = order``; ``log_r`` is ``(N, ≥ 2·order)``."""
    ratio: FloatArray = log_r[:, 2 * order - 1] - log_r[:, order - 1]
    return ratio


def harmonic(low: int, high: int) -> float:
    """``1/low + … + 1/(high − 1)``."""
    return float(np.sum(1.0 / np.arange(low, high)))


def two_nn(log_r: FloatArray, order: int = 1) -> float:
    """TwoNN (Facco, d'Errico, Rodriguez & Laio 2017) by maximum likelihood, at neighbours k and 2k.

    With ``order`` 1 it is TwoNN; larger ones look at larger scales, as the generalised ratios of Denti,
    Doimo, Laio & Mira (2022) do, here by the mean of the log ratio.
    """
    return harmonic(order, 2 * order) / float(np.mean(neighbour_ratios(log_r, order)))


def inverse_mle(log_r: FloatArray, neighbours: int) -> FloatArray:
    """Levina & Bickel's (2005) inverse dimension at every point, ``(N,)``: the mean of ``log r_k/r_j``."""
    before: FloatArray = log_r[:, : neighbours - 1]
    inverse: FloatArray = log_r[:, neighbours - 1] - before.mean(axis=1)
    return inverse


def mle(log_r: FloatArray, neighbours: int) -> float:
    """Levina & Bickel's estimate from ``neighbours`` ≥ 2, inverses averaged over the points.

    MacKay & Ghahramani (2005): the inverse is what has no bias, so one averages it, and not the estimate.
    """
    return 1.0 / float(np.mean(inverse_mle(log_r, neighbours)))
