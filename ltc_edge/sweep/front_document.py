"""``front.json``: the result of a sweep for machines; docs/sweep-front.md names its keys.

What follows from the trials (ranks, front, pick) is in it for those who read it; whoever reads it with
`swept_from_bytes` has it worked out anew.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from ltc_edge.errors import InputError
from ltc_edge.report.fields import Fields, fields_from_bytes
from ltc_edge.sweep.budget import Budget, read_budget
from ltc_edge.sweep.front import Broken, Figure, TrialResult, broken_limits
from ltc_edge.sweep.objectives import find_objective
from ltc_edge.sweep.pick import why_none
from ltc_edge.sweep.swept import Swept
from ltc_edge.sweep.tally import tally
from ltc_edge.sweep.work import STATES
from ltc_edge.version import __version__

FORMAT, SCHEMA = "ltc-edge front", 1


def front_document(swept: Swept) -> dict[str, Any]:
    """What ``front.json`` holds.

    Raises:
        InputError: a feasible trial lacks a goal's figure.
    """
    counted = tally(swept.results)
    picked = swept.pick
    return {
        "format": FORMAT,
        "schema": SCHEMA,
        "ltc_edge": __version__,
        "task": swept.task,
        "target": swept.target,
        "objectives": [
            {"name": goal.name, "unit": goal.unit, "maximised": goal.maximised} for goal in swept.goals
        ],
        "budget": str(swept.budget),
        "counts": {
            "trials": len(swept.results),
            "complete": counted.complete,
            "feasible": counted.feasible,
            "pruned": sum(count for _, count in counted.pruned),
            "failed": sum(count for _, count in counted.failed),
        },
        "front": [result.number for result in swept.front],
        "doubts": [
            {"trial": doubt.trial, "rival": doubt.rival, "mutual": doubt.mutual} for doubt in swept.doubts
        ],
        "pick": picked
        and {
            "trial": picked.trial,
            "seed": picked.seed,
            "run": picked.run_folder,
            "reason": picked.reason,
        },
        "why_none": None if picked else why_none(swept.results),
        "trials": [_trial(result, swept.ranks.get(result.number)) for result in swept.results],
    }


def front_text(swept: Swept) -> str:
    """`front_document` as JSON, one trial a line."""
    document = front_document(swept)
    lines = [json.dumps(trial, allow_nan=False) for trial in document.pop("trials")]
    head = json.dumps(document, indent=1, allow_nan=False).removesuffix("\n}")
    trials = ",\n  ".join(lines)
    return f'{head},\n "trials": [\n  {trials}\n ]\n}}\n' if lines else f'{head},\n "trials": []\n}}\n'


def _trial(result: TrialResult, rank: int | None) -> dict[str, Any]:
    return {
        "number": result.number,
        "state": result.state,
        "reason": result.reason,
        "settings": dict(result.settings),
        "figures": {name: _figure(figure) for name, figure in result.figures.items()},
        "feasible": result.feasible,
        "broken": [_broken(broken) for broken in result.broken],
        "rank": rank,
        "seeds": list(result.seeds),
        "best_seed": result.best_seed,
        "run": result.run_folder,
        "seconds": result.seconds,
    }


def _figure(figure: Figure) -> dict[str, Any]:
    return {"mean": figure.mean, "low": figure.low, "high": figure.high, "n": figure.n}


def _broken(broken: Broken) -> dict[str, Any]:
    # What was not measured is infinitely far, which JSON does not know.
    return {
        "limit": str(broken.limit),
        "value": broken.value,
        "excess": None if broken.value is None else broken.excess,
    }


def swept_from_bytes(content: bytes, where: str) -> Swept:
    """The sweep that the content of a ``front.json`` describes.

    Raises:
        InputError: it is none, damaged, of a newer version, or edited: its front is not that of its trials.
    """
    fields = fields_from_bytes(content, where)
    if fields.text("format") != FORMAT:
        raise InputError(f"{where}: is not the result of `ltc-edge sweep`")
    if fields.number("schema") != SCHEMA:
        raise InputError(f"{where}: its schema is unknown here (this is version {SCHEMA}); upgrade ltc-edge")
    goals = tuple(find_objective(each.text("name") or "", each.where) for each in fields.items("objectives"))
    if not goals:
        raise InputError(f"{where}: names no objectives")
    budget = read_budget(text) if (text := fields.text("budget")) else Budget()
    results = tuple(_read_trial(each, budget) for each in fields.items("trials"))
    numbers = [result.number for result in results]
    if numbers != sorted(set(numbers)):
        raise InputError(f"{where}: its trials must have numbers that rise")
    swept = Swept(fields.text("task") or "", goals, budget, fields.text("target"), results)
    if fields.numbers("front") != tuple(result.number for result in swept.front):
        raise InputError(f"{where}: was edited: its front is not that of its trials; sweep with --pick anew")
    return swept


def _read_trial(fields: Fields, budget: Budget) -> TrialResult:
    figures = {
        find_objective(name, fields.where).name: _read_figure(each)
        for name, each in fields.by_name("figures")
    }
    state = fields.text("state")
    if state not in STATES:
        raise InputError(f"{fields.where}: state must be one of {', '.join(STATES)}, not {state!r}")
    seeds = tuple(_whole(number, fields, "seeds") for number in fields.numbers("seeds"))
    best, run = fields.count("best_seed"), fields.text("run")
    if state == "complete" and (best not in seeds or run is None):
        raise InputError(f"{fields.where}: is complete, but names no seed and run to ship")
    if run is not None and (PurePosixPath(run).is_absolute() or ".." in PurePosixPath(run).parts):
        raise InputError(f"{fields.where}: run must be a folder within the sweep, not {run!r}")
    return TrialResult(
        number=_whole(fields.number("number"), fields, "number"),
        settings=_settings(fields.inside("settings")),
        state=state,
        reason=fields.text("reason"),
        figures=figures,
        broken=broken_limits(budget, figures) if state == "complete" else (),
        seconds=fields.number("seconds") or 0.0,
        seeds=seeds,
        best_seed=best,
        run_folder=run,
    )


def _settings(fields: Fields) -> Mapping[str, Any]:
    return {name: fields.scalar(name) for name in fields.names()}


def _read_figure(fields: Fields) -> Figure:
    mean, low, high = fields.number("mean"), fields.number("low"), fields.number("high")
    n = _whole(fields.number("n"), fields, "n")
    has_interval = low is not None and high is not None
    if mean is None or n < 1 or has_interval != (n > 1):
        raise InputError(f"{fields.where}: needs a mean, of how many seeds n, and low and high where n > 1")
    if low is not None and high is not None and not low <= mean <= high:
        raise InputError(f"{fields.where}: its mean must lie between low and high")
    return Figure(mean, low, high, n)


def _whole(value: float | None, fields: Fields, name: str) -> int:
    if value is None or value != int(value) or value < 0:
        raise InputError(f"{fields.where}: {name} must be a whole number that is not negative")
    return int(value)
