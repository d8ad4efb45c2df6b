"""What a sampler is told of a trial: the means over its seeds, and how far it is over its budget."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ltc_edge.sweep.measurement import MeasurementPlan
from ltc_edge.sweep.work import Outcome, State

FAR = 1e9
"""The violation of a limit whose figure is not there: samplers add up, and infinity would hide the others."""


@dataclass(frozen=True)
class Told:
    """A trial that is over.

    Attributes:
        outcomes: of its seeds from 0 on; the last is the first that is not complete, if there is one.
        state: of the trial.
        reason: in one line, why it is not complete.
        figures: the means over its seeds.
        values: of the objectives, in their order; of a complete trial alone.
        violations: of the limits of the budget, by their texts: at most 0 is kept. Of a trial that is not
            complete those alone whose figures are known.
    """

    outcomes: tuple[Outcome, ...]
    state: State
    reason: str | None
    figures: Mapping[str, float]
    values: tuple[float, ...]
    violations: Mapping[str, float]


def deciding(outcomes: Mapping[int, Outcome], seeds: int) -> tuple[Outcome, ...] | None:
    """The outcomes by seed that decide a trial of so many ``seeds``; None while they are not there.

    A trial ends with the first of its seeds that is not complete. What others, further on, may have come to
    by then depends on who was faster, and does not count.
    """
    found: list[Outcome] = []
    for seed in range(seeds):
        if seed not in outcomes:
            return None
        found.append(outcomes[seed])
        if outcomes[seed].state != "complete":
            break
    return tuple(found)


def judge(outcomes: Sequence[Outcome], measure: MeasurementPlan) -> Told:
    """What to tell of a trial with ``outcomes``, as `deciding` gives them.

    A trial is as its last replicate is. One that is complete without a finite figure for every objective has
    failed after all: it has no place to be ranked at.
    """
    last = outcomes[-1]
    state, reason, figures = last.state, last.reason, _means(outcomes)
    values: tuple[float, ...] = ()
    if state == "complete":
        lacking = [name for name in measure.objectives if not math.isfinite(figures.get(name, math.nan))]
        if lacking:
            state, reason = "failed", f"{', '.join(lacking)} could not be measured"
        else:
            values = tuple(figures[name] for name in measure.objectives)
    elif len(outcomes) > 1:
        reason = f"seed {last.seed}: {reason}"
    found = measure.budget.violation(figures)
    known = {str(limit) for limit in measure.budget.limits if limit.name in figures}
    violations = {
        limit: min(over, FAR) for limit, over in found.items() if limit in known or state == "complete"
    }
    return Told(tuple(outcomes), state, reason, figures, values, violations)


def _means(outcomes: Sequence[Outcome]) -> dict[str, float]:
    """The mean of each figure that all ``outcomes`` have."""
    names = [name for name in outcomes[0].figures if all(name in each.figures for each in outcomes)]
    return {name: statistics.fmean(each.figures[name] for each in outcomes) for name in names}
