"""Functions of one variable that cells are made of, with the ranges of their first two derivatives.

A range over an interval is that of the values at its ends and at the extremes between them. Values from the
C library are off by a few units in the last place, four at most in NumPy's own; ranges are widened by more.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ltc_edge.evaluation.lipschitz.balls import Array, Ball
from ltc_edge.runtimes.reference import sigmoid

Values = Callable[[Array], Array]
Range = Callable[[Array, Array], Ball]

RELATIVE = 2.0**-47
"""By how much of itself a computed value may be off: 32 units in the last place."""

ABSOLUTE = 2.0**-48
"""By how much one may be off that comes of terms no greater than 1."""

NEAR = 1e-9
"""An extreme this near to an interval is taken for one inside: where it is, is rounded too."""


@dataclass(frozen=True)
class Function:
    """A function as ranges over intervals: of its value, of its derivative, and of its second one."""

    value: Range
    slope: Range
    bend: Range


def _range(values: Values, *extremes: tuple[float, float], absolute: float = ABSOLUTE) -> Range:
    """The range of ``values``, which has ``extremes``, each where and what, and is monotone between them."""

    def over(low: Array, high: Array) -> Ball:
        first, last = values(low), values(high)
        least, most = np.minimum(first, last), np.maximum(first, last)
        for where, what in extremes:
            inside = (low <= where + NEAR) & (where - NEAR <= high)
            least = np.where(inside, np.minimum(least, what), least)
            most = np.where(inside, np.maximum(most, what), most)
        slack = RELATIVE * np.maximum(np.abs(least), np.abs(most)) + absolute
        return Ball.between(least - slack, most + slack)

    return over


def _stepwise(before: float, after: float) -> Range:
    """The derivative of a function that is linear on both sides of zero: over both, both values."""

    def over(low: Array, high: Array) -> Ball:
        return Ball.between(np.where(low <= 0, before, after), np.where(high >= 0, after, before))

    return over


def _none_but_at(*kinks: float) -> Range:
    """The second derivative of a function that is linear but for ``kinks``, where it has none."""

    def over(low: Array, high: Array) -> Ball:
        unknown = np.zeros(low.shape, dtype=np.bool_)
        for kink in kinks:
            unknown |= (low <= kink) & (kink <= high)
        return Ball(np.zeros_like(low), np.where(unknown, np.inf, 0.0))

    return over


def _logistic(order: int) -> Values:
    def value(x: Array) -> Array:
        s = sigmoid(x)
        return (s, s * (1.0 - s), s * (1.0 - s) * (1.0 - 2.0 * s))[order]

    return value


def _tanh(order: int) -> Values:
    def value(x: Array) -> Array:
        t = np.tanh(x)
        result: Array = (t, 1.0 - t * t, -2.0 * t * (1.0 - t * t))[order]
        return result

    return value


def _normal(order: int) -> Values:
    def distribution(x: Array) -> Array:
        return np.array([0.5 * (1.0 + math.erf(each / math.sqrt(2.0))) for each in x.flat]).reshape(x.shape)

    def density(x: Array) -> Array:
        result: Array = np.exp(-0.5 * x * x) / math.sqrt(2.0 * math.pi)
        return result

    def slope(x: Array) -> Array:
        return -x * density(x)

    return (distribution, density, slope)[order]


_STEEPEST, _FASTEST = math.log(2.0 + math.sqrt(3.0)), math.atanh(1.0 / math.sqrt(3.0))
"""Where the second derivatives of the logistic function and of tanh are at their extremes, ±."""
_LOGISTIC, _HYPERBOLIC = 1.0 / (6.0 * math.sqrt(3.0)), 4.0 / (3.0 * math.sqrt(3.0))
_DENSITY = 1.0 / math.sqrt(2.0 * math.pi)
_INFLECTION = _DENSITY * math.exp(-0.5)

LOGISTIC = Function(
    _range(_logistic(0)),
    _range(_logistic(1), (0.0, 0.25)),
    _range(_logistic(2), (-_STEEPEST, _LOGISTIC), (_STEEPEST, -_LOGISTIC)),
)
TANH = Function(
    _range(_tanh(0)),
    _range(_tanh(1), (0.0, 1.0)),
    _range(_tanh(2), (-_FASTEST, _HYPERBOLIC), (_FASTEST, -_HYPERBOLIC)),
)
NORMAL = Function(
    _range(_normal(0)),
    _range(_normal(1), (0.0, _DENSITY)),
    _range(_normal(2), (-1.0, _INFLECTION), (1.0, -_INFLECTION)),
)
EXPONENTIAL = Function(*(_range(np.exp, absolute=0.0) for _ in range(3)))
EXPM1 = Function(_range(np.expm1, absolute=0.0), EXPONENTIAL.slope, EXPONENTIAL.bend)
RELU = Function(_range(lambda x: np.maximum(x, 0.0), absolute=0.0), _stepwise(0.0, 1.0), _none_but_at(0.0))
MAGNITUDE = Function(_range(np.abs, (0.0, 0.0), absolute=0.0), _stepwise(-1.0, 1.0), _none_but_at(0.0))


def clipped(limit: float) -> Function:
    """``clip(x, −limit, limit)``."""

    def slope(low: Array, high: Array) -> Ball:
        inside, outside = (high >= -limit) & (low <= limit), (low <= -limit) | (high >= limit)
        return Ball.between(np.where(outside, 0.0, 1.0), np.where(inside, 1.0, 0.0))

    return Function(
        _range(lambda x: np.clip(x, -limit, limit), absolute=0.0), slope, _none_but_at(-limit, limit)
    )


def inverse(low: Array, high: Array) -> Ball:
    """1/x over intervals; nothing is known where one reaches zero."""
    ball = _range(lambda x: 1.0 / x, absolute=0.0)(low, high)
    return Ball(ball.mid, np.where((low > 0) | (high < 0), ball.rad, np.nan))
