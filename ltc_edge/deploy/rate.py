"""A controller in a loop of another rate than its own: stepped each period, every few, or not at all.

A controller is made for a native period and a declared range of elapsed times, and its cell integrates over
the time that has truly passed. A loop whose period lies within that range steps it every time. A faster loop
steps it at a whole multiple of its own period and holds the action in between. A slower one is refused: the
controller would be told less time than has passed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from ltc_edge.controller import Timing
from ltc_edge.errors import InputError

EDGE = 1e-6
"""A period this near to an end of the range, relatively, counts as within: 1/500 s is 0.1 of 0.02 s although
the products differ in their last bits, and devices hold dt in float32, which has 6e-8."""


@dataclass(frozen=True)
class RatePlan:
    """How a loop steps a controller.

    Attributes:
        period_s: of the loop.
        every: periods of the loop from one step of the controller to the next; its action is held between.
    """

    period_s: float
    every: int

    @property
    def step_s(self) -> float:
        """Seconds from one step of the controller to the next."""
        return self.every * self.period_s

    @property
    def decimated(self) -> bool:
        """Whether the loop is faster than the controller."""
        return self.every > 1


def plan_rate(timing: Timing, rate_hz: float, every: int | None = None) -> RatePlan:
    """How a loop of ``rate_hz`` steps a controller of this timing.

    A loop whose period lies within the range steps it each time, unless ``every`` says otherwise.

    Of the multiples within the range, a loop that is too fast takes the one nearest to the native period:
    that is where the controller was trained and verified, while the shortest elapsed time is only allowed.

    Args:
        timing: the controller's.
        rate_hz: of the loop.
        every: periods of the loop from one step to the next, where that is wanted: a multiple that gives the
            native period costs nothing, and others may (docs/native-rate.md).

    Raises:
        InputError: the rate is no positive number, the loop is slower than the range allows, no multiple of
            its period lies in the range, or the one asked for does not.
    """
    if not (math.isfinite(rate_hz) and rate_hz > 0 and math.isfinite(1.0 / rate_hz)):
        raise InputError(f"rate: {rate_hz:g} Hz is no rate; it must be positive and finite")
    period_s = 1.0 / rate_hz
    shortest, longest = timing.dt_min_s * (1.0 - EDGE), timing.dt_max_s * (1.0 + EDGE)
    if every is not None:
        if every < 1 or not shortest <= every * period_s <= longest:
            raise InputError(
                f"rate: {every} periods of {rate_hz:g} Hz are {1000 * every * period_s:.6g} ms, and this "
                f"controller allows {_range(timing)}"
            )
        return RatePlan(period_s, every)
    if shortest <= period_s <= longest:
        return RatePlan(period_s, 1)
    if period_s > longest:
        raise InputError(
            f"rate: {rate_hz:g} Hz is a period of {1000 * period_s:.6g} ms, and this controller allows "
            f"{_range(timing)}. Run the loop at {1.0 / timing.dt_max_s:.6g} Hz or more, or export one that "
            "was trained for longer periods"
        )
    fewest, most = math.ceil(shortest / period_s), math.floor(longest / period_s)
    if fewest > most:
        raise InputError(
            f"rate: no whole multiple of {1000 * period_s:.6g} ms ({rate_hz:g} Hz) lies in what this "
            f"controller allows, {_range(timing)}. Run the loop at {1.0 / timing.period_s:.6g} Hz or a "
            "multiple of it"
        )
    return RatePlan(period_s, _nearest(timing.period_s / period_s, fewest, most))


def _nearest(native: float, fewest: int, most: int) -> int:
    """The whole number from ``fewest`` to ``most`` nearest to ``native``; of two, the smaller."""
    return min(max(math.ceil(native - 0.5), fewest), most)


def _range(timing: Timing) -> str:
    return f"{1000 * timing.dt_min_s:.6g} to {1000 * timing.dt_max_s:.6g} ms"
