"""From real weights to 8-bit integers, a scale for each output channel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ltc_edge.export.program import Array, Dense


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
        operation: weight ``(n, k)`` and bias ``(n,)``.
        samples: inputs it had during calibration, ``(R, k)``.
    """
    weight = operation.weight
    greatest = np.abs(weight).max(axis=1, initial=0.0)
    # A row of zeros has no scale of its own; any will do that keeps its bias small in integers.
    greatest[greatest == 0] = max(float(greatest.max(initial=0.0)), 1.0)
    scale = greatest / 127 if operation.step is None else operation.step
    values = np.clip(np.rint(weight / scale[:, None]), -127, 127).astype(np.int8)
    return QuantizedDense(values, scale, operation.bias)
