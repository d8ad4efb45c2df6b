"""Whether a changed controller still does what it did: the same trials, and the interval over pairs."""

from __future__ import annotations

from dataclasses import dataclass

from ltc_edge.arrays import FloatArray
from ltc_edge.evaluation.inspection.effects import MATERIAL
from ltc_edge.evaluation.statistics import return_statistics


@dataclass(frozen=True)
class Comparison:
    """A changed controller against the one it was.

    Attributes:
        before, after: mean scores.
        before_ci95: interval of ``before``: what the luck of so many trials may be.
        lost: mean of ``before − after`` over pairs of trials, with its interval.
        margin: the largest loss that is accepted.
        trials: how many.
    """

    before: float
    after: float
    before_ci95: tuple[float, float]
    lost: float
    lost_ci95: tuple[float, float]
    margin: float
    trials: int

    @property
    def kept(self) -> bool:
        """Whether a loss above the margin is excluded: the interval of the loss ends below it."""
        return self.lost_ci95[1] <= self.margin


def compare(
    before: FloatArray,
    after: FloatArray,
    gain: float,
    tolerance: float | None = None,
) -> Comparison:
    """Compare scores ``(trials,)`` of the same trials.

    The margin is ``tolerance`` of the gain on doing nothing, or, where none is given, half the interval of
    the score itself, but no more than `MATERIAL` of the gain: within it a loss cannot be told from luck.
    """
    was, lost = return_statistics(before), return_statistics(before - after)
    gain = max(gain, 0.0)
    margin = tolerance * gain if tolerance is not None else min(was.mean - was.ci95[0], MATERIAL * gain)
    return Comparison(was.mean, float(after.mean()), was.ci95, lost.mean, lost.ci95, margin, len(before))
