"""Tables of the functions that integers look up; each is read linearly between its entries."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

PIECES = 512
PART_BITS = 14
"""A place is a piece and, in so many bits more, how far into it a value lies."""

SIGMOID_REACH = 16.0
NORMAL_REACH = 4.0
BERNOULLI_REACH = 16.0
EXP_PIECES = 32

Table = npt.NDArray[np.int32]
_Values = npt.NDArray[np.float64]


def sigmoid_table() -> Table:
    """The logistic function from −16 to 16."""
    x = np.linspace(-SIGMOID_REACH, SIGMOID_REACH, PIECES + 1)
    s = np.array([1.0 / (1.0 + math.exp(-value)) for value in x])
    return _pieces(s, s * (1 - s) * (1 - 2 * s), 2 * SIGMOID_REACH / PIECES)


def normal_table() -> Table:
    """The normal distribution's Φ from −4 to 4."""
    x = np.linspace(-NORMAL_REACH, NORMAL_REACH, PIECES + 1)
    values = np.array([0.5 * (1.0 + math.erf(value / math.sqrt(2.0))) for value in x])
    density = np.array([math.exp(-0.5 * value * value) / math.sqrt(2 * math.pi) for value in x])
    return _pieces(values, -x * density, 2 * NORMAL_REACH / PIECES)


def exp_table() -> Table:
    """2^-f for f from 0 to 1."""
    power = np.array([2.0 ** (-piece / EXP_PIECES) for piece in range(EXP_PIECES + 1)])
    return _pieces(power, math.log(2.0) ** 2 * power, 1.0 / EXP_PIECES)


def bernoulli_table() -> Table:
    """``x / (exp(x) − 1)`` from 0 to 16; nowhere 0, which a divisor relies on."""
    x = np.linspace(0.0, BERNOULLI_REACH, PIECES + 1)
    values, curvature = np.ones(PIECES + 1), np.full(PIECES + 1, 1.0 / 6.0)
    e = np.exp(x[1:])
    values[1:] = x[1:] / (e - 1)
    curvature[1:] = e * (x[1:] * (e + 1) - 2 * (e - 1)) / (e - 1) ** 3
    return _pieces(values, curvature, BERNOULLI_REACH / PIECES)


def _pieces(values: _Values, curvature: _Values, width: float) -> Table:
    """A word a piece: where it begins, in 2^-15, in the high half; four times its rise in the low half.

    A chord of width h lies h²/8 of the curvature beside the curve; moved by half of that, its greatest
    error is halved. Half a step more makes up for what reading a table loses by rounding down.
    """
    moved = (values - width**2 / 16 * curvature) * 32768 + 0.5
    ends = np.clip(np.rint(moved), 0, 32767).astype(np.int64)
    words: Table = ((ends[:-1] << 16) | ((np.diff(ends) << (16 - PART_BITS)) & 0xFFFF)).astype(np.int32)
    return words
