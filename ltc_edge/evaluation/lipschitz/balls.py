"""Arithmetic with arrays of balls: a ball holds every real number within ``rad`` of ``mid``.

The result of an operation holds every result that exact operands out of its operands can have. That
survives floating point, because each radius is made greater by more than what rounding can have taken:
a rounded operation is within 2⁻⁵³ of its result, relative to it, a sum of ``m`` products within m·2⁻⁵³
of the sum of their magnitudes, in whatever order it is taken (Higham, *Accuracy and Stability of Numerical
Algorithms*, 2002, section 3.1; Rump, "Verification methods", Acta Numerica 2010). Midpoints and radii, and
not ends, because matrices of them are multiplied by the products of ordinary ones.

A radius that is NaN or infinite says that nothing is known; it stays so, and nothing wrong is made of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

ROUNDING = 2.0**-50
"""More than a few roundings: eight times the unit roundoff."""

TINY = 1e-300
"""More than an underflow takes off."""


@dataclass(frozen=True, eq=False)
class Ball:
    """Arrays of midpoints and radii, of one shape."""

    mid: Array
    rad: Array

    @classmethod
    def exactly(cls, values: Array) -> Ball:
        """Balls of radius zero."""
        return cls(values, np.zeros_like(values))

    @classmethod
    def between(cls, low: Array, high: Array) -> Ball:
        """Balls that hold intervals."""
        mid = 0.5 * (low + high)
        return cls(mid, 0.5 * (high - low) * (1.0 + ROUNDING) + ROUNDING * np.abs(mid) + TINY)

    @property
    def ends(self) -> tuple[Array, Array]:
        """Intervals that hold the balls."""
        reach = self.rad + ROUNDING * (np.abs(self.mid) + self.rad) + TINY
        return self.mid - reach, self.mid + reach

    @property
    def magnitude(self) -> Array:
        """At least the magnitude of every number in it."""
        return (np.abs(self.mid) + self.rad) * (1.0 + ROUNDING)

    def __getitem__(self, index: Any) -> Ball:
        return Ball(self.mid[index], self.rad[index])

    def __neg__(self) -> Ball:
        return Ball(-self.mid, self.rad)

    def __add__(self, other: Ball) -> Ball:
        mid = self.mid + other.mid
        rad = self.rad + other.rad
        rad = np.multiply(rad, 1.0 + ROUNDING, out=_room(rad, mid))
        size = np.abs(mid)
        size *= ROUNDING
        return Ball(mid, rad + size)

    def __sub__(self, other: Ball) -> Ball:
        return self + -other

    def __mul__(self, other: Ball) -> Ball:
        # |a| r_b + r_a (|b| + r_b), and rounding's share of |a b|, in the order that makes the fewest arrays:
        # the first factor is often the smaller one.
        size = np.abs(self.mid)
        rad: Array = (size + self.rad) * (1.0 + ROUNDING) * other.rad
        most = np.abs(other.mid)
        most = np.multiply(most, (self.rad + ROUNDING * size) * (1.0 + ROUNDING), out=_room(most, rad))
        rad += most
        rad *= 1.0 + ROUNDING
        rad += TINY
        return Ball(self.mid * other.mid, rad)

    def take(self, index: npt.NDArray[np.int64]) -> Ball:
        """Some columns of the last axis."""
        return Ball(np.take(self.mid, index, axis=-1), np.take(self.rad, index, axis=-1))


def _room(array: Array, result: Array) -> Array | None:
    """``array`` where the result fits into it."""
    return array if array.shape == result.shape else None


def matrix_product(matrix: Array, ball: Ball) -> Ball:
    """``matrix @ ball`` for ``matrix`` ``(…, n, m)``, whose entries may be off by a relative 2⁻⁴⁹."""
    # That is what computing a parameter, such as a softplus, may have taken.
    slack = (matrix.shape[-1] + 32) * 2.0**-52
    rad = np.abs(matrix) @ (ball.rad + slack * np.abs(ball.mid))
    return Ball(matrix @ ball.mid, rad * (1.0 + slack) + TINY)


def narrower(one: Ball, other: Ball) -> Ball:
    """Of two balls about the same number the one of less radius, element by element."""
    keep = ~(other.rad < one.rad) & ~np.isnan(one.rad)
    return Ball(np.where(keep, one.mid, other.mid), np.where(keep, one.rad, other.rad))


def joined(balls: list[Ball], axis: int) -> Ball:
    """Balls one after another along ``axis``."""
    return Ball(
        np.concatenate([ball.mid for ball in balls], axis=axis),
        np.concatenate([ball.rad for ball in balls], axis=axis),
    )
