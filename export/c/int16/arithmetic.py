"""The C runtime's integer functions in NumPy: the two give the same codes.

Source of the formulas: ``runtime/ltc_i16_arithmetic.h``. Values are int64 here, so that a result which
would not fit the C's 32 bits can be seen; that there is none is what `overflow` proves.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ltc_edge.export.c.int16.tables import (
    EXP_PIECES,
    PART_BITS,
    PIECES,
    Table,
    bernoulli_table,
    exp_table,
    normal_table,
    sigmoid_table,
)

Int = npt.NDArray[np.int64]

ONE = 32768
LEAST, MOST = -32768, 32767
TABLE_END = (PIECES << PART_BITS) - 1
MIDDLE = PIECES << (PART_BITS - 1)
"""Place of 0 in the tables of sigmoids and of the normal distribution."""

PLACES_A_UNIT = {"sigmoid": 18, "tanh": 19, "normal": 20, "bernoulli": 19}
"""Power of two of the places in a table that a unit of each function's argument is."""

LOG2E = 23637
"""log2(e) in 2^-14."""

SIGMOID, NORMAL, EXP, BERNOULLI = sigmoid_table(), normal_table(), exp_table(), bernoulli_table()


def scaled(value: Int, shift: int | npt.NDArray[np.uint8]) -> Int:
    """``value · 2^-shift``, rounded to the nearest, ties upwards; shifts are at least 1."""
    by = np.asarray(shift, dtype=np.int64)
    result: Int = (value + (np.int64(1) << (by - 1))) >> by
    return result


def shifted(value: Int, left: int) -> Int:
    """``value · 2^left``; rounded where ``left`` is negative."""
    return scaled(value, -left) if left < 0 else value << np.int64(left)


def saturated(value: Int) -> Int:
    """Codes of 16 bits."""
    result: Int = np.clip(value, LEAST, MOST)
    return result


def lookup(table: Table, piece: Int, part: Int) -> Int:
    """A value of a table's piece, in 2^-15."""
    entry = table[piece].astype(np.int64)
    low = entry.astype(np.int16).astype(np.int64)
    result: Int = (entry + low * part) >> 16
    return result


def read(table: Table, place: Int) -> Int:
    """A function by its table; places beyond it are at its ends."""
    within = np.clip(place, 0, TABLE_END)
    return lookup(table, within >> PART_BITS, within & ((1 << PART_BITS) - 1))


def ratio(numerator: Int, denominator: Int) -> Int:
    """``numerator / denominator`` as a code, for ``|numerator| ≤ denominator``."""
    divisor = denominator >> 14
    quotient = (2 * np.abs(numerator) + (divisor >> 1)) // divisor
    return saturated(np.sign(numerator) * quotient)


def place(code: Int, bits: int, function: str) -> Int:
    """Where codes in 2^-bits lie in the table of a function."""
    return shifted(code, PLACES_A_UNIT[function] - bits) + MIDDLE


def sigmoid(code: Int, bits: int) -> Int:
    """Of codes in 2^-bits."""
    return read(SIGMOID, place(code, bits, "sigmoid"))


def tanh(code: Int, bits: int) -> Int:
    """``2σ(2x) − 1``, of codes in 2^-bits."""
    return 2 * read(SIGMOID, place(code, bits, "tanh")) - ONE


def normal(code: Int, bits: int) -> Int:
    """Φ of codes in 2^-bits."""
    return read(NORMAL, place(code, bits, "normal"))


def kept(share: Int, pace: Int, conductance: Int, shift: int) -> Int:
    """What exponential Euler keeps of a share: at least 1."""
    discount = read(BERNOULLI, (pace * conductance) >> shift)
    result: Int = (share * discount + MOST) >> 15
    return result


def exp(code: Int, bits: int) -> Int:
    """``e^x`` of codes in 2^-bits, at most 0."""
    size = np.clip(-code, 0, MOST) * LOG2E
    whole, fraction = size >> (bits + 14), size >> (bits - 5)
    power = lookup(EXP, (fraction >> PART_BITS) & (EXP_PIECES - 1), fraction & ((1 << PART_BITS) - 1))
    shift = np.minimum(whole, 16)
    result: Int = (2 * power + (np.int64(1) << shift)) >> (shift + 1)
    return result
