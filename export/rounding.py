"""From real weights to 8-bit integers, a scale for each output channel.

Rounding each weight to the nearest integer keeps the weights close; what matters is that the sums stay
close. Inputs of a layer move together, so an error made in one weight can be made up for in the next:
columns are rounded one after the other, and what each leaves over is spread, after the inputs'
covariance, on those still to come (optimal brain surgeon, Hassibi & Stork 1993; its use for whole rows
at once is that of Frantar et al., "GPTQ", ICLR 2023, arXiv 2210.17323). The mean error goes into the bias.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ltc_edge.arrays import IntArray
from ltc_edge.export.program import Array, Dense

GREATEST = 127
"""Symmetric: −128 has no opposite, and some integer kernels rely on that."""

SCALES = np.linspace(1.0, 0.7, 13)
"""Scales tried for a row, of the one that its largest weight asks for; a smaller one cuts that weight off."""

DAMPING = 0.01
"""Share of the mean variance that every input is given, so that what calibration did not see counts too."""


@dataclass(frozen=True, eq=False)
class QuantizedDense:
    """Integer weights of a dense operation: ``output = scale · (values @ input) + bias``.

    Attributes:
        values: ``(n, k)``, within ±127.
        scale: ``(n,)``, positive.
        bias: ``(n,)``, real; it also makes up for the mean error of the weights.
    """

    values: npt.NDArray[np.int8]
    scale: Array
    bias: Array

    def weight(self) -> Array:
        """The real weights that the integers stand for, ``(n, k)``."""
        real: Array = self.scale[:, None] * self.values
        return real


def round_dense(operation: Dense, samples: Array) -> QuantizedDense:
    """Round the weights of ``operation``.

    Args:
        operation: weight ``(n, k)`` and bias ``(n,)``; where it names a step, that is the scale.
        samples: inputs it had during calibration, ``(R, k)``.
    """
    weight = operation.weight
    if operation.step is not None:
        values = np.clip(np.rint(weight / operation.step[:, None]), -GREATEST, GREATEST)
        return QuantizedDense(values.astype(np.int8), operation.step, operation.bias)
    greatest = np.abs(weight).max(axis=1, initial=0.0)
    # A row of zeros has no scale of its own; any will do that keeps its bias small in integers.
    greatest[greatest == 0] = max(float(greatest.max(initial=0.0)), 1.0)
    mean, covariance = _moments(samples, weight.shape[1])
    scale = greatest / GREATEST
    values = np.rint(weight / scale[:, None])
    error = _error(weight - values * scale[:, None], covariance)
    order = np.argsort(-np.diag(covariance), kind="stable")  # the heaviest inputs first
    factor = np.linalg.cholesky(np.linalg.inv(covariance[np.ix_(order, order)])).T
    for share in SCALES:
        tried = share * greatest / GREATEST
        rounded = _compensated(weight, tried, order, factor)
        remaining = _error(weight - rounded * tried[:, None], covariance)
        better = remaining < error
        values[better], scale[better], error[better] = rounded[better], tried[better], remaining[better]
    bias = operation.bias + (weight - values * scale[:, None]) @ mean
    return QuantizedDense(values.astype(np.int8), scale, bias)


def _moments(samples: Array, channels: int) -> tuple[Array, Array]:
    """Mean and damped covariance of a layer's inputs: ``(k,)``, ``(k, k)``."""
    if len(samples) < 2 or channels == 0:
        return np.zeros(channels), np.eye(channels)
    mean = samples.mean(axis=0)
    centred = samples - mean
    covariance = centred.T @ centred / len(samples)
    level = max(float(np.trace(covariance)) / channels, 1e-12)
    return mean, covariance + DAMPING * level * np.eye(channels)


def _error(remaining: Array, covariance: Array) -> Array:
    """Variance that the weights' errors give each output, ``(n,)``."""
    result: Array = np.einsum("nk,kl,nl->n", remaining, covariance, remaining, optimize=True)
    return result


def _compensated(weight: Array, scale: Array, order: IntArray, factor: Array) -> Array:
    """Integers ``(n, k)``, column by column in ``order``, each column's error spread on those after it.

    ``factor`` ``(k, k)`` is the upper Cholesky factor of the inverse covariance in that order.
    """
    left = weight[:, order].copy()
    values = np.empty_like(left)
    for column in range(left.shape[1]):
        values[:, column] = np.clip(np.rint(left[:, column] / scale), -GREATEST, GREATEST)
        missed = (left[:, column] - values[:, column] * scale) / factor[column, column]
        left[:, column:] -= missed[:, None] * factor[column, column:]
    result = np.empty_like(values)
    result[:, order] = values
    return result
