"""The trials of a sweep as comma-separated values, one row a trial."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any

from ltc_edge.profiling.table_csv import safe_cell
from ltc_edge.sweep.front import TrialResult
from ltc_edge.sweep.swept import Swept


def front_csv(swept: Swept) -> str:
    """All trials, as text with a header line.

    A setting's column begins with ``set_``. A figure has four columns: its mean under its own name, and its
    interval and number of seeds in those that end in ``_low``, ``_high`` and ``_n``. What was not measured
    is empty; a cell that a spreadsheet would take for a formula begins with an apostrophe.
    """
    rows = [_row(result, swept) for result in swept.results]
    file = io.StringIO()
    writer = csv.DictWriter(file, _columns(swept), lineterminator="\n")
    writer.writeheader()
    writer.writerows({column: safe_cell(value) for column, value in row.items()} for row in rows)
    return file.getvalue()


def _columns(swept: Swept) -> list[str]:
    settings = dict.fromkeys(f"set_{name}" for result in swept.results for name in result.settings)
    goals = [goal.name for goal in swept.goals]
    figures = dict.fromkeys([*goals, *(name for result in swept.results for name in result.figures)])
    about = ["trial", "state", "rank", "picked", "feasible", "broken", "seeds", "best_seed", "run"]
    measured = [f"{name}{ending}" for name in figures for ending in ("", "_low", "_high", "_n")]
    return [*about, *settings, *measured, "seconds", "reason"]


def _row(result: TrialResult, swept: Swept) -> Mapping[str, Any]:
    row: dict[str, Any] = {
        "trial": result.number,
        "state": result.state,
        "rank": swept.ranks.get(result.number),
        "picked": swept.pick is not None and swept.pick.trial == result.number,
        "feasible": result.feasible,
        "broken": " ".join(str(broken.limit) for broken in result.broken),
        "seeds": " ".join(map(str, result.seeds)),
        "best_seed": result.best_seed,
        "run": result.run_folder,
        "seconds": result.seconds,
        "reason": result.reason,
    }
    row |= {f"set_{name}": value for name, value in result.settings.items()}
    for name, figure in result.figures.items():
        row |= {name: figure.mean, f"{name}_low": figure.low, f"{name}_high": figure.high}
        row[f"{name}_n"] = figure.n
    return row
