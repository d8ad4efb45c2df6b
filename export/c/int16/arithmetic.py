"""The C runtime's integer functions in NumPy: the two give the same codes.

Source of the formulas: ``runtime/ltc_i16_arithmetic.h``. Values are int64 here, so that a result which
would not fit the C's 32 bits can be seen; that there is none is what `overflow` proves.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ltc_edge.export.c.int16.tables import PIECES, PLACES, Table, exp_table, normal_table, sigmoid_table

Int = npt.NDArray[np.int64]

ONE = 32768
MOST = 32767
TABLE_END = PIECES * PLACES - 1
LOG2E = 23637
"""log2(e) in 2^-14."""

SIGMOID, NORMAL, EXP = sigmoid_table(), normal_table(), exp_table()


def scaled(value: Int, shift: int | npt.NDArray[np.uint8]) -> Int:
    """``value · 2^-shift``, rounded to the nearest, ties upwards; shifts are at least 1."""
    by = np.asarray(shift, dtype=np.int64)
    result: Int = (value + (np.int64(1) << (by - 1))) >> by
    return result


def shifted(value: Int, left: int) -> Int:
    """``value · 2^left``; rounded where ``left`` is negative."""
    return scaled(value, -left) if left < 0 else value << np.int64(left)


def saturated(value: Int) -> Int:
    """Codes within ±32767."""
    result: Int = np.clip(value, -MOST, MOST)
    return result


def lookup(table: Table, place: Int) -> Int:
    """A function by its table; places beyond it are at its ends."""
    within = np.clip(place, 0, TABLE_END)
    piece, part = within >> 10, within & (PLACES - 1)
    below, above = table[piece].astype(np.int64), table[piece + 1].astype(np.int64)
    result: Int = below + (((above - below) * part) >> 10)
    return result


def ratio(numerator: Int, denominator: Int) -> Int:
    """``numerator / denominator`` in 2^-15, for ``|numerator| ≤ denominator``."""
    divisor = denominator >> 14
    dividend = np.minimum(2 * np.abs(numerator) + (divisor >> 1), (divisor << 15) - 1)
    result: Int = np.sign(numerator) * (dividend // divisor)
    return result


def sigmoid(code: Int, bits: int) -> Int:
    """Of codes in 2^-bits."""
    return lookup(SIGMOID, shifted(code, 14 - bits) + PIECES * PLACES // 2)


def tanh(code: Int, bits: int) -> Int:
    """``2σ(2x) − 1``, of codes in 2^-bits."""
    return 2 * lookup(SIGMOID, shifted(code, 15 - bits) + PIECES * PLACES // 2) - ONE


def normal(code: Int, bits: int) -> Int:
    """Φ of codes in 2^-bits."""
    return lookup(NORMAL, shifted(code, 16 - bits) + PIECES * PLACES // 2)


def exp(code: Int, bits: int) -> Int:
    """``e^x`` of codes in 2^-bits, at most 0."""
    size = np.clip(-code, 0, MOST) * LOG2E
    whole, fraction = size >> (bits + 14), (size >> (bits - 1)) & 0x7FFF
    piece, part = fraction >> 10, fraction & (PLACES - 1)
    below, above = EXP[piece].astype(np.int64), EXP[piece + 1].astype(np.int64)
    power = below + (((above - below) * part) >> 10)
    shift = np.minimum(whole, 16)
    result: Int = (2 * power + (np.int64(1) << shift)) >> (shift + 1)
    return result
