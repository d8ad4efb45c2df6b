"""What the pictures of a front show along their axes: the first goal upwards, what it costs sideways."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ltc_edge.sweep.front import Figure
from ltc_edge.sweep.objectives import OBJECTIVES, Objective
from ltc_edge.sweep.pick_reason import COST_WORDS
from ltc_edge.sweep.swept import Swept

WIDE = 8.0
"""An axis whose high end is so many times the low one is logarithmic."""
FEW = 5
"""A front of fewer trials says too little of where to look: all trials are shown."""

_BEYOND = 0.6
"""How far an axis goes on from the front to what is worse, as a share of the front's own length."""
_INTERVALS = 0.4
"""How far it goes on for the sake of intervals."""
_MARGIN = 0.06


@dataclass(frozen=True)
class Axis:
    """An axis.

    Attributes:
        objective: what is along it.
        low, high: its ends; values beyond are not drawn.
        is_log: whether it is logarithmic.
    """

    objective: Objective
    low: float
    high: float
    is_log: bool

    def share(self, value: float) -> float:
        """Where a value is, from 0 at the low end to 1; where it cannot be, far below."""
        if not self.is_log:
            return (value - self.low) / (self.high - self.low)
        if value <= 0.0:
            return -math.inf
        return math.log(value / self.low) / math.log(self.high / self.low)


def costs_of(swept: Swept) -> tuple[Objective, ...]:
    """What is drawn sideways: the goals after the first; of a single one, what tells what is cheap."""
    if len(swept.goals) > 1:
        return swept.goals[1:]
    others = [name for name in COST_WORDS if name != swept.goals[0].name]
    measured = [name for name in others if any(name in result.figures for result in swept.complete)]
    return tuple(OBJECTIVES[name] for name in measured[:1])


def axis_of(swept: Swept, objective: Objective) -> Axis | None:
    """An axis over the front, its intervals, and what is not much worse; None where nothing was measured."""
    every = [result.figures[objective.name] for result in swept.complete if objective.name in result.figures]
    front = [result.figures[objective.name] for result in swept.front if objective.name in result.figures]
    if not every:
        return None
    means = [figure.mean for figure in every]
    # Of what is maximised the large end matters, which a logarithm would press together.
    if min(means) > 0 and not objective.maximised:
        low, high = _reaching(front, means, objective, is_log=True)
        if high > WIDE * low:
            return Axis(objective, low, high, is_log=True)
    return Axis(objective, *_reaching(front, means, objective, is_log=False), is_log=False)


def _reaching(
    front: Sequence[Figure], means: Sequence[float], objective: Objective, *, is_log: bool
) -> tuple[float, float]:
    def there(value: float) -> float:
        return math.log(max(value, 1e-300)) if is_log else value

    best = means if len(front) < FEW else [figure.mean for figure in front]
    least, most = there(min(best)), there(max(best))
    span = most - least or 0.1 * abs(most) or 1.0
    # Of few seeds an interval can be far wider than all that was found.
    reached = [there(end) for figure in front for end in (figure.low, figure.high) if end is not None]
    low = max(min([least, *reached]), least - _INTERVALS * span)
    high = min(max([most, *reached]), most + _INTERVALS * span)
    if objective.maximised:
        low = min(low, max(least - _BEYOND * span, there(min(means))))
    else:
        high = max(high, min(most + _BEYOND * span, there(max(means))))
    margin = _MARGIN * (high - low or span)
    low, high = low - margin, high + margin
    return (math.exp(low), math.exp(high)) if is_log else (low, high)


def ticks(axis: Axis, most: int = 6) -> list[float]:
    """Round values along the axis, at most about so many."""
    if not axis.is_log:
        return _linear_ticks(axis.low, axis.high, most)
    for digits in ((1, 2, 3, 5, 7), (1, 2, 5), (1, 3), (1,)):
        powers = range(math.floor(math.log10(axis.low)), math.ceil(math.log10(axis.high)) + 1)
        found = [digit * 10.0**power for power in powers for digit in digits]
        found = [value for value in found if axis.low <= value <= axis.high]
        if len(found) <= most:
            return found
    return found[:: -(-len(found) // most)]


def _linear_ticks(low: float, high: float, most: int) -> list[float]:
    least = (high - low) / most
    power = 10.0 ** math.floor(math.log10(least))
    step = next(digit * power for digit in (1, 2, 2.5, 5, 10) if digit * power >= least)
    first, last = math.ceil(low / step), math.floor(high / step)
    return [number * step for number in range(first, last + 1)]
