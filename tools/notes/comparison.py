"""From figures of single trainings to the comparison: means, paired differences, promises kept or not."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ltc_edge.training.options import CellKind
from notes.contenders import LTC, OTHERS, Contender
from notes.scoring import CORRUPTION, FIRMWARE, LIPSCHITZ, SHIFTED, TASK, figures
from notes.statistics import WORTH, Estimate, Verdict, estimate, joint, pooled, verdict
from notes.training import Run

Figures = Mapping[str, Any]

NOT_LIQUID: tuple[CellKind, ...] = ("ctrnn", "lstm", "gru")
"""A promise of liquid cells is made against these; how the LTC compares with the CfC is told beside."""


@dataclass(frozen=True)
class Measure:
    """One figure of a training, the larger the better.

    Attributes:
        name: in the report.
        part: of which figures.
        read: from those figures; None where this training has none.
        worth: the smallest advantage that is one.
    """

    name: str
    part: str
    read: Callable[[Figures], float | None]
    worth: float = WORTH


def _kept(of: str) -> Callable[[Figures], float | None]:
    """A height as a share of that on the undisturbed task; None where there is hardly anything to keep."""
    return lambda found: (
        None if not found["nominal"] or found["nominal"] < 0.1 else found[of] / found["nominal"]
    )


def _decades_below_one(found: Figures) -> float | None:
    """By how many powers of ten the Lipschitz constant is surely below 1."""
    return None if found["upper"] is None else -math.log10(found["upper"])


PERFORMANCE = Measure("performance", TASK, lambda found: found["height"])
CORRUPTED = Measure("corruption", CORRUPTION, lambda found: found["area_mean"])
CORRUPTED_KEPT = Measure("corruption_kept", CORRUPTION, _kept("area_mean"))
OUTSIDE = Measure("out_of_distribution", SHIFTED, lambda found: found["score"])
SMOOTH = Measure("smoothness", LIPSCHITZ, _decades_below_one, worth=0.04)
"""A tenth less steep is 0.04."""
MEASURES = (PERFORMANCE, CORRUPTED, CORRUPTED_KEPT, OUTSIDE, SMOOTH)


@dataclass(frozen=True)
class Promise:
    """What the notes say, and the measures by which it is told whether it is so: all of them must."""

    name: str
    meaning: str
    measures: tuple[Measure, ...]


PROMISES = (
    Promise(
        "few parameters",
        "with equally many parameters the LTC does its task better",
        (PERFORMANCE,),
    ),
    Promise(
        "robust without over-parameterisation",
        "with equally few parameters the LTC loses less under corruption",
        (CORRUPTED,),
    ),
    Promise(
        "robust, by its Lipschitz constant",
        "with equally few parameters the LTC's action is less steep in its readings",
        (SMOOTH,),
    ),
    Promise(
        "better out of distribution",
        "with equally many parameters the LTC does better on plants that are off and from wider starts",
        (OUTSIDE,),
    ),
)


@dataclass(frozen=True, eq=False)
class Comparison:
    """All trainings that have figures, by subject, cell and seed."""

    runs: Mapping[str, Mapping[CellKind, Mapping[int, Run]]]

    @classmethod
    def of(cls, runs: Sequence[Run]) -> Comparison:
        """The trained ones of ``runs``."""
        found: dict[str, dict[CellKind, dict[int, Run]]] = {}
        for run in runs:
            if run.is_done:
                found.setdefault(run.subject.name, {}).setdefault(run.contender.cell, {})[run.seed] = run
        return cls(found)

    def values(self, subject: str, cell: CellKind, measure: Measure) -> dict[int, float]:
        """A measure by seed."""
        found = {}
        for seed, run in self.runs[subject].get(cell, {}).items():
            kept = figures(run, measure.part)
            value = None if kept is None else measure.read(kept)
            if value is not None:
                found[seed] = value
        return found

    def advantages(self, subject: str, other: CellKind, measure: Measure) -> list[float]:
        """How much better the LTC is, seed by seed: of one seed, both began from the same demonstrations."""
        ltc, its = self.values(subject, LTC, measure), self.values(subject, other, measure)
        return [ltc[seed] - its[seed] for seed in sorted(ltc.keys() & its.keys())]

    def pooled(self, other: CellKind, measure: Measure) -> Estimate | None:
        """The advantage over all subjects that have the measure, each counting alike."""
        strata = {name: self.advantages(name, other, measure) for name in self.runs}
        strata = {name: values for name, values in strata.items() if values}
        return pooled(strata) if strata else None

    def kept(self, promise: Promise) -> Verdict:
        """Whether the promise is kept, by every measure against every cell that is not liquid."""
        return joint([self.against(other, measure) for measure in promise.measures for other in NOT_LIQUID])

    def against(self, other: CellKind, measure: Measure) -> Verdict:
        """Whether the LTC is better than ``other`` by this measure, over all subjects."""
        advantage = self.pooled(other, measure)
        return "cannot be told" if advantage is None else verdict(advantage, measure.worth)

    def document(self) -> dict[str, Any]:
        """All of it, as JSON."""
        return {
            "subjects": {name: self._subject(name) for name in self.runs},
            "promises": [self._promise(promise) for promise in PROMISES],
            "measures": {
                measure.name: {
                    other: self._difference(self.pooled(other, measure), measure) for other in OTHERS
                }
                for measure in MEASURES
            },
        }

    def _promise(self, promise: Promise) -> dict[str, Any]:
        return {
            "promise": promise.name,
            "meaning": promise.meaning,
            "measures": [measure.name for measure in promise.measures],
            "verdict": self.kept(promise),
        }

    def _subject(self, name: str) -> dict[str, Any]:
        cells = self.runs[name]
        return {
            "cells": {cell: self._cell(name, cell, own) for cell, own in cells.items()},
            "differences": {
                measure.name: {
                    other: self._difference(estimate(found), measure)
                    for other in OTHERS
                    if other in cells and (found := self.advantages(name, other, measure))
                }
                for measure in MEASURES
            },
        }

    def _cell(self, subject: str, cell: CellKind, runs: Mapping[int, Run]) -> dict[str, Any]:
        first = next(iter(runs.values()))
        size: Contender = first.contender
        measured = {measure.name: self.values(subject, cell, measure) for measure in MEASURES}
        return {
            "units": size.model.units,
            "parameters_effective": size.effective,
            "parameters_dense": size.dense,
            "trainings": len(runs),
            "rounds": statistics.fmean(run.rounds for run in runs.values()),
            "own_units": self._own_units(runs),
            "firmware": figures(first, FIRMWARE),
            "lipschitz": self._lipschitz(runs),
            **{name: _estimate(list(found.values())) for name, found in measured.items()},
        }

    def _own_units(self, runs: Mapping[int, Run]) -> dict[str, Any]:
        """The return, or the metric of the recordings, as the task itself has it."""
        found = [own for run in runs.values() if (own := figures(run, TASK)) is not None]
        if not found:
            return {"metric": None, "value": None}
        column = "value" if "value" in found[0] else "return_mean"
        return {
            "metric": found[0].get("metric", "return"),
            "value": _estimate([own[column] for own in found]),
        }

    @staticmethod
    def _lipschitz(runs: Mapping[int, Run]) -> dict[str, float] | None:
        """Geometric means over the trainings of both ends of the bracket."""
        found = [own for run in runs.values() if (own := figures(run, LIPSCHITZ)) is not None]
        if not found or any(not own["upper"] or not own["lower"] for own in found):
            return None
        return {end: statistics.geometric_mean(own[end] for own in found) for end in ("lower", "upper")}

    @staticmethod
    def _difference(advantage: Estimate | None, measure: Measure) -> dict[str, Any] | None:
        if advantage is None:
            return None
        return {**_document(advantage), "verdict": verdict(advantage, measure.worth)}


def _estimate(values: Sequence[float]) -> dict[str, Any] | None:
    return _document(estimate(values)) if values else None


def _document(found: Estimate) -> dict[str, Any]:
    return {
        "mean": found.mean,
        "ci95": None if found.ci95 is None else list(found.ci95),
        "trainings": found.trainings,
    }
