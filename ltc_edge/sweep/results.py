"""The trials of a study as results: figures with intervals, what is over budget, which run to ship."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

from ltc_edge.sweep.front import TrialResult, broken_limits, figure_over_seeds, ranked
from ltc_edge.sweep.measurement import MeasurementPlan
from ltc_edge.sweep.objectives import OBJECTIVES
from ltc_edge.sweep.study import Asked, Study
from ltc_edge.sweep.told import Told, deciding, judge
from ltc_edge.sweep.work import Outcome, Work, outcome_file_of, run_folder_of

MOST_CONFIRMED = 24
"""Trials of a sweep by proxies that are measured for real: its front, and then what is right behind it."""

TRIALS = "trials"
"""The folder of trials, in that of the sweep."""


def results_of(study: Study) -> list[TrialResult]:
    """The told trials, by their numbers."""
    pairs = zip(study.asked, study.told, strict=False)
    return [result_of(asked, told, study.plan.measure) for asked, told in pairs]


def result_of(asked: Asked, told: Told, measure: MeasurementPlan) -> TrialResult:
    """A trial as fronts and tables take it."""
    complete = [outcome for outcome in told.outcomes if outcome.state == "complete"]
    known = complete or told.outcomes  # of one that was given up, what was known by then
    figures = {name: figure_over_seeds([outcome.figures[name] for outcome in known]) for name in told.figures}
    is_complete = told.state == "complete"
    best = _best(complete, measure) if is_complete else None
    return TrialResult(
        number=asked.number,
        settings=asked.settings,
        state=told.state,
        reason=told.reason,
        figures=figures,
        broken=broken_limits(measure.budget, figures) if is_complete else (),
        seconds=sum(sum(outcome.seconds.values()) for outcome in told.outcomes),
        seeds=tuple(outcome.seed for outcome in complete),
        best_seed=best,
        run_folder=None
        if best is None
        else str(run_folder_of(Path(TRIALS), Work(asked.number, best, {}, {}))),
    )


def to_confirm(results: Sequence[TrialResult], measure: MeasurementPlan) -> list[int]:
    """The trials that a sweep by proxies measures for real, by their numbers: see `MOST_CONFIRMED`."""
    goals = [OBJECTIVES[name] for name in measure.objectives]
    near = sorted((rank, result.number) for result, rank in ranked(results, goals) if rank <= 1)
    return sorted(number for _, number in near[:MOST_CONFIRMED])


def confirmed_results(study: Study, confirmed: Mapping[int, Told]) -> list[TrialResult]:
    """The told trials of a sweep by proxies; only what was measured for real can be on its front."""
    measure = dataclasses.replace(study.plan.measure, proxy=False)
    return [
        result_of(study.asked[result.number], confirmed[result.number], measure)
        if result.number in confirmed
        else _estimated(result)
        for result in results_of(study)
    ]


def read_confirmed(study: Study, trials: Path) -> dict[int, Told]:
    """What was measured for real so far of a sweep by proxies."""
    measure = dataclasses.replace(study.plan.measure, proxy=False)
    confirmed: dict[int, Told] = {}
    for number in to_confirm(results_of(study), study.plan.measure):
        outcomes: dict[int, Outcome] = {}
        for seed in range(study.plan.seeds):
            work = Work(number, seed, {}, {}, confirm=True)
            path = outcome_file_of(trials, work)
            if path.exists():
                outcomes[seed] = Outcome.read(path, work)
        found = deciding(outcomes, study.plan.seeds)
        if found is not None:
            confirmed[number] = judge(found, measure)
    return confirmed


def _estimated(result: TrialResult) -> TrialResult:
    if result.state != "complete":
        return result
    return dataclasses.replace(
        result, state="pruned", reason="estimated alone: behind the front of the proxies", broken=()
    )


def _best(outcomes: Sequence[Outcome], measure: MeasurementPlan) -> int:
    """The seed that validated best while it trained; the first of equals, and where none validated."""
    sign = 1.0 if measure.metric.maximised else -1.0
    return max(
        outcomes,
        key=lambda outcome: (max((sign * value for _, value in outcome.curve), default=0.0), -outcome.seed),
    ).seed
