"""The C runtime's float32 functions in NumPy, operation by operation: the two give the same bits.

Source of the formulas, and of every constant: ``runtime/ltc_f32_arithmetic.h``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

Float32 = npt.NDArray[np.float32]

UNIT = 16
"""Exponents of 2 are handled as multiples of it."""

MOST_EXPONENT = np.float32(120 / UNIT)
_LOG2E = np.float32(0.0901684388)
_ROUND = np.float32(786439.938)
_A0, _B0 = np.float32(0.0799529925), np.float32(0.443353653)
_ERF_P = np.array(
    [
        -2.72614225e-10,
        2.77068142e-8,
        -2.10102402e-6,
        -5.69250639e-5,
        -7.34990631e-4,
        -2.95459980e-3,
        -1.60960333e-2,
    ],
    dtype=np.float32,
)
_ERF_Q = np.array(
    [-1.45660718e-5, -2.13374055e-4, -1.68282697e-3, -7.37332917e-3, -1.42647390e-2], dtype=np.float32
)


def exp2_parts(u: Float32) -> tuple[Float32, Float32, Float32]:
    """2^k, A and B of ``2^16u = 2^k·(A + B)/(A − B)``."""
    rounded = u + _ROUND
    f = u - (rounded - _ROUND)
    w = f * f
    power = (rounded.view(np.uint32) << np.uint32(23)).view(np.float32)
    return power, w + _A0, f * (w + _B0)


def clamp(x: Float32, most: np.float32) -> Float32:
    """``x`` within ``±most``."""
    clamped: Float32 = np.minimum(np.maximum(x, -most), most).astype(np.float32, copy=False)
    return clamped


def logistic2(u: Float32) -> Float32:
    """``1 / (1 + 2^16u)``, ``|u| ≤ 7.875``."""
    power, even, odd = exp2_parts(u)
    difference = even - odd
    quotient: Float32 = np.divide(difference, difference + (even + odd) * power)
    return quotient


def sigmoid(x: Float32) -> Float32:
    """``1 / (1 + e^−x)``."""
    return logistic2(clamp(x * -_LOG2E, MOST_EXPONENT))


def tanh(x: Float32) -> Float32:
    """The hyperbolic tangent."""
    one, near = np.float32(1.0), np.float32(0.55)
    y = np.where(x < 0, -x, x)
    power, even, odd = exp2_parts(clamp(y * (np.float32(2.0) * _LOG2E), np.float32(30 / UNIT)))
    difference = even - odd
    below = difference + (even + odd) * power
    above = (power - one) * even + (power + one) * odd
    quotient = np.where(y < near, above, difference + difference) / below
    size = np.where(y < near, quotient, one - quotient)
    return np.where(x < 0, -size, size)


def exp(x: Float32) -> Float32:
    """``e^x``; beyond ±83 it stays where it is."""
    power, even, odd = exp2_parts(clamp(x * _LOG2E, MOST_EXPONENT))
    return (even + odd) / (even - odd) * power


def erf(x: Float32) -> Float32:
    """The error function."""
    y = clamp(x, np.float32(4.0))
    w = y * y
    p, q = w * _ERF_P[0] + _ERF_P[1], w * _ERF_Q[0] + _ERF_Q[1]
    for coefficient in _ERF_P[2:]:
        p = w * p + coefficient
    for coefficient in _ERF_Q[2:]:
        q = w * q + coefficient
    quotient: Float32 = np.divide(y * p, q)
    return quotient


def gelu(x: Float32) -> Float32:
    """``x·Φ(x)``."""
    result: Float32 = np.float32(0.5) * x * (np.float32(1.0) + erf(x * np.float32(0.707106781)))
    return result


def minimum(a: Float32, b: Float32) -> Float32:
    """The smaller; the first where they are equal, as +0 and −0 are."""
    return np.where(b < a, b, a)


def maximum(a: Float32, b: Float32) -> Float32:
    """The greater; the first where they are equal."""
    return np.where(b > a, b, a)


MAPS: Mapping[str, Callable[[Float32], Float32]] = {
    "sigmoid": sigmoid,
    "tanh": tanh,
    "exp": exp,
    "gelu": gelu,
    "abs": lambda x: np.where(x < 0, -x, x),
    "relu": lambda x: maximum(x, np.zeros_like(x)),
}
BINARIES: Mapping[str, Callable[[Float32, Float32], Float32]] = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
    "minimum": minimum,
    "maximum": maximum,
}
