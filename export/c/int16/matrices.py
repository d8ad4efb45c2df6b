"""8-bit matrices of the plan, with what makes the sum of a row a code."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from ltc_edge.errors import FormatRefusedError
from ltc_edge.export.c.int16.arithmetic import MOST
from ltc_edge.export.c.int16.steps import Matrix, Rows
from ltc_edge.export.c.lists import SPARSE_SHARE
from ltc_edge.export.program import Dense
from ltc_edge.export.rounding import QuantizedDense

MULTIPLIER_BITS = 14
WITHIN_BITS = 16
"""A sum is brought down to so many bits before it is multiplied: their product fits 31."""

BEYOND = 1.25
"""How far beyond the end of a code a sum is still told apart: rounding must not make it come back."""


def matrix(operation: Dense, quantized: QuantizedDense, bits_in: int, bits_out: int) -> Matrix:
    """A `Dense` operation in integers, as a list where it has few weights.

    Raises:
        FormatRefusedError: a bias is beyond 32 bits in units of its weights.
    """
    weight = quantized.values
    rows = _rows(operation, quantized, bits_in, bits_out)
    used = weight != 0
    if used.mean() >= SPARSE_SHARE:
        return Matrix(operation.output, operation.input, weight.ravel(), rows)
    row, column = np.nonzero(used)
    count = np.bincount(row, minlength=len(weight)).astype(np.uint16)
    return Matrix(
        operation.output, operation.input, weight[row, column], rows, count, column.astype(np.uint16)
    )


def _rows(operation: Dense, quantized: QuantizedDense, bits_in: int, bits_out: int) -> Rows:
    unit = quantized.scale * 2.0**-bits_in
    factor = unit * 2.0**bits_out
    bias = np.rint(quantized.bias / unit)
    reach = np.abs(quantized.values.astype(np.int64)).sum(axis=1) * (MOST + 1) + np.abs(bias)
    if (reach >= 2.0**30).any():
        neuron = int(reach.argmax())
        raise FormatRefusedError(
            "overflow",
            f"{operation.output}[{neuron}] may reach {reach.max():.3g}, beyond 30 bits of its sum; its bias "
            "is too large for its weights",
        )
    limit = np.minimum(reach, np.ceil(BEYOND * (MOST + 1) / factor)).astype(np.int64)
    before = np.array([_bits_beyond(int(value), WITHIN_BITS) for value in limit])
    scaled = [_mantissa(float(value)) for value in factor * 2.0**before]
    half = np.where(before > 0, 1 << np.maximum(before - 1, 0), 0)
    return Rows(
        bias=(bias.astype(np.int64) + half).astype(np.int32),
        limit=limit.astype(np.int32),
        multiplier=np.array([m for m, _ in scaled], dtype=np.int16),
        before=before.astype(np.uint8),
        after=np.array([shift for _, shift in scaled], dtype=np.uint8),
    )


def _bits_beyond(value: int, bits: int) -> int:
    return max(value.bit_length() - bits, 0)


def _mantissa(factor: float) -> tuple[int, int]:
    """A whole number of `MULTIPLIER_BITS` bits and a shift that together are the factor."""
    shift = MULTIPLIER_BITS - math.frexp(factor)[1]
    # Beyond 30 bits the product is shifted to nothing anyway; below 1 the sum is worth more than a code.
    shift = min(max(shift, 1), 30)
    return min(round(math.ldexp(factor, shift)), (1 << MULTIPLIER_BITS) - 1), shift


def row_sums(step: Matrix, values: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """``weight @ values``, ``(n,)``; of intervals where values has one more axis, ``(k, …)``."""
    weight = step.weight.astype(np.int64)
    if step.count is None or step.columns is None:
        result: npt.NDArray[np.int64] = weight.reshape(len(step.rows.bias), -1) @ values
        return result
    total = np.zeros(len(step.rows.bias), dtype=np.int64)
    np.add.at(total, np.repeat(np.arange(len(total)), step.count), weight * values[step.columns])
    return total
