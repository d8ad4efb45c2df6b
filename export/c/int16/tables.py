"""Tables of the functions that integers look up; each is read linearly between its entries."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

PIECES = 512
PLACES = 1024
"""Of a piece; a place is a piece and how far into it a value lies."""

SIGMOID_REACH = 16.0
NORMAL_REACH = 4.0
EXP_PIECES = 32

Table = npt.NDArray[np.uint16]


def sigmoid_table() -> Table:
    """513 values of the logistic function from −16 to 16, in 2^-15."""
    x = np.linspace(-SIGMOID_REACH, SIGMOID_REACH, PIECES + 1)
    s = 1.0 / (1.0 + np.exp(-x))
    return _balanced(s, s * (1 - s) * (1 - 2 * s), 2 * SIGMOID_REACH / PIECES)


def normal_table() -> Table:
    """513 values of the normal distribution's Φ from −4 to 4, in 2^-15."""
    x = np.linspace(-NORMAL_REACH, NORMAL_REACH, PIECES + 1)
    density = np.exp(-0.5 * x**2) / np.sqrt(2 * np.pi)
    values = np.array([0.5 * (1.0 + math.erf(value / math.sqrt(2.0))) for value in x])
    return _balanced(values, -x * density, 2 * NORMAL_REACH / PIECES)


def exp_table() -> Table:
    """33 values of 2^-f, f from 0 to 1, in 2^-15."""
    power = 2.0 ** -np.linspace(0.0, 1.0, EXP_PIECES + 1)
    return _balanced(power, np.log(2.0) ** 2 * power, 1.0 / EXP_PIECES)


def _balanced(values: npt.NDArray[np.float64], curvature: npt.NDArray[np.float64], width: float) -> Table:
    """Entries between which a chord is off by as much in its middle as at its ends.

    A chord of width h lies h²/8 of the curvature beside the curve; moved by half of that, its greatest
    error is halved. Half a step more makes up for what reading a table loses by rounding down.
    """
    moved = (values - width**2 / 16 * curvature) * 32768 + 0.5
    table: Table = np.clip(np.rint(moved), 0, 32767).astype(np.uint16)
    return table
