"""The front as a page: one file that needs no network; its script is the one whose hash its policy names."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from ltc_edge.report.fields import clean
from ltc_edge.sweep.figure_text import axis_text, interval_text
from ltc_edge.sweep.front import TrialResult
from ltc_edge.sweep.front_axes import FEW, WIDE, costs_of
from ltc_edge.sweep.next_commands import next_commands
from ltc_edge.sweep.objectives import OBJECTIVES, Objective
from ltc_edge.sweep.pick import why_none
from ltc_edge.sweep.pick_reason import which_seed
from ltc_edge.sweep.settings_text import common_settings, settings_text
from ltc_edge.sweep.swept import Swept
from ltc_edge.sweep.tally import tally
from ltc_edge.version import __version__

MOST_SHOWN = 2000
"""Trials of a page; more would make it slow. The front comes first, and then what is right behind it."""

FILTERS = ("cell", "format", "wiring")
"""Settings that the page can be narrowed to."""


def front_page(swept: Swept, folder: Path) -> bytes:
    """The page as HTML; the same input gives the same bytes.

    Args:
        swept: what is shown.
        folder: of the sweep, as people name it: commands begin with it.

    Raises:
        InputError: a feasible trial lacks a goal's figure.
    """
    shown = _shown(swept)
    figures = _figures(swept, shown)
    common = common_settings(shown)
    rivals: dict[int, list[int]] = {}
    for doubt in swept.doubts:
        rivals.setdefault(doubt.trial, []).append(doubt.rival)
    environment = _environment()
    script = environment.get_template("front.js").render()
    page = environment.get_template("front.html").render(
        task=clean(swept.task),
        script=Markup(script),
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        data={
            "trials": [
                _trial(result, swept, folder, common, rivals.get(result.number, ())) for result in shown
            ],
            "figures": [_described(objective) for objective in figures],
            "limits": [
                {"name": limit.name, "value": limit.value, "text": str(limit)}
                for limit in swept.budget.limits
            ],
            "pick": None if swept.pick is None else swept.pick.trial,
            "wide": WIDE,
            "few": FEW,
        },
        axes=[figures[0].name, next((cost.name for cost in costs_of(swept)), figures[0].name)]
        if figures
        else [],
        filters=_filters(shown),
        pick=swept.pick,
        which_seed=which_seed(swept.pick.seed, len(swept.picked.seeds))
        if swept.pick and swept.picked
        else None,
        why_none=None if swept.pick else clean(why_none(swept.results)),
        command=_pick_command(swept, folder),
        facts=_facts(swept, common),
        left_out=len(swept.results) - len(shown),
        ended=[clean(line) for line in tally(swept.results).words],
        version=__version__,
    )
    return page.encode()


def _environment() -> Environment:
    environment = Environment(
        loader=ChoiceLoader([PackageLoader("ltc_edge.sweep"), PackageLoader("ltc_edge.report")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.policies["json.dumps_kwargs"] = {"allow_nan": False}  # unsorted: settings have an order
    return environment


def _shown(swept: Swept) -> list[TrialResult]:
    """The trials with figures: the front, what is right behind it, and at last what is over budget."""
    worst = len(swept.complete)

    def place(result: TrialResult) -> tuple[int, float, int]:
        over = sum(broken.excess for broken in result.broken)
        return swept.ranks.get(result.number, worst), over, result.number

    return sorted(swept.complete, key=place)[:MOST_SHOWN]


def _figures(swept: Swept, shown: Sequence[TrialResult]) -> list[Objective]:
    """What can be shown: the goals, and whatever else some trial has."""
    measured = {name for result in shown for name in result.figures}
    names = dict.fromkeys((*(goal.name for goal in swept.goals), *OBJECTIVES))
    return [OBJECTIVES[name] for name in names if name in measured]


def _described(objective: Objective) -> dict[str, Any]:
    return {
        "name": objective.name,
        "title": axis_text(objective),
        "maximised": objective.maximised,
        "summary": objective.summary,
    }


def _trial(
    result: TrialResult, swept: Swept, folder: Path, common: Mapping[str, Any], rivals: Sequence[int]
) -> dict[str, Any]:
    return {
        "number": result.number,
        "words": settings_text(result.settings, without=common),
        "settings": {clean(name): clean(str(value)) for name, value in result.settings.items()},
        "figures": {
            name: {
                "mean": figure.mean,
                "low": figure.low,
                "high": figure.high,
                "text": interval_text(figure),
            }
            for name, figure in result.figures.items()
        },
        "rank": swept.ranks.get(result.number),
        "broken": [str(broken.limit) for broken in result.broken],
        "rivals": list(rivals),
        "seeds": list(result.seeds),
        "best": result.best_seed,
        "run": clean(result.run_folder or ""),
        "commands": {name: clean(line) for name, line in next_commands(folder, result, swept.target).items()},
    }


def _filters(shown: Sequence[TrialResult]) -> list[tuple[str, list[str]]]:
    """The settings of `FILTERS` that differ among the trials, with their values."""
    found = []
    for name in FILTERS:
        values = sorted({clean(str(result.settings[name])) for result in shown if name in result.settings})
        if len(values) > 1:
            found.append((name, values))
    return found


def _pick_command(swept: Swept, folder: Path) -> str | None:
    if swept.picked is None:
        return None
    return clean(next_commands(folder, swept.picked, swept.target)["export"])


def _facts(swept: Swept, common: Mapping[str, Any]) -> list[tuple[str, str]]:
    seeds = sorted({len(result.seeds) for result in swept.complete})
    facts = [
        ("Objectives", ", ".join(f"{goal.name} {'↑' if goal.maximised else '↓'}" for goal in swept.goals)),
        ("Budget", str(swept.budget).replace(",", ", ") or "none"),
        ("On the front", f"{len(swept.front)} of {len(swept.results)} trials"),
        ("Seeds a trial", " or ".join(map(str, seeds)) or "—"),
        ("Counted on", swept.target or "—"),
    ]
    return facts + ([("All trials", settings_text(common))] if common else [])
