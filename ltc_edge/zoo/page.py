"""An entry in the words of tables: those of ``docs/zoo.md``, and cells that the command shares with them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ltc_edge.zoo.entry import FORMAT, TARGET, Entry
from ltc_edge.zoo.index import Index

BEGIN, END = "<!-- tables: tools/build_zoo.py writes them -->", "<!-- end of the tables -->"
COLUMNS = (
    "cell, size",
    "units",
    "parameters",
    "{metric}, 95 % interval",
    "over training seeds",
    "corruption",
    "error, % of σ",
    "flash",
    "RAM",
    "instructions",
)
DIGITS = 5
MARK = "†"
"""Stands by what has no `FORMAT`: its figures are of another."""

_COSTS = ("flash_bytes", "ram_bytes", "instructions_per_step")


def page_tables(index: Index) -> str:
    """A Markdown table for each task, and a line for each that has none."""
    blocks = [_table(index.choose(task)) for task in index.tasks()]
    absent = [f"- `{each.task}`: {each.reason}" for each in index.missing]
    if absent:
        blocks.append("\n".join(["**Not there:**", "", *absent]))
    return "\n\n".join(blocks)


def _table(entries: list[Entry]) -> str:
    first = entries[0]
    heading = tuple(column.format(metric=first.metric) for column in COLUMNS)
    rows = [heading, ("---",) * len(COLUMNS), *(row(entry) for entry in entries)]
    lines = ["| " + " | ".join(cells) + " |" for cells in rows]
    notes = [f"\n{MARK} {note(entry)}" for entry in entries if entry.format != FORMAT]
    return "\n".join([f"**{first.task}** ({yardstick(first)})", "", *lines, *notes])


def note(entry: Entry) -> str:
    """Which format the figures of an entry are of, and why those that it lacks are not there."""
    absent = "".join(f"; {name} is not there: {reason}" for name, reason in entry.refused.items())
    return f"{entry.cell} {entry.size}: figures are of {entry.format}{absent}"


def yardstick(entry: Entry) -> str:
    """What an entry's figure is held against: the expert and doing nothing, or a constant guess."""
    score = entry.document["score"]
    if "expert" in score:
        return f"expert {number(score['expert'])}, doing nothing {number(score['zero'])}"
    better = "less" if entry.document["lower_is_better"] else "more"
    return f"a constant guess {number(score['baseline'])}; {better} is better"


def row(entry: Entry, digits: int = DIGITS) -> tuple[str, ...]:
    """The cells of an entry under `COLUMNS`; what was not measured is a dash."""
    document = entry.document
    corruption = document["corruption"]
    form = document["formats"][entry.format]
    costs = form["firmware"].get(TARGET, {})
    return (
        f"{entry.cell} {entry.size}" + ("" if entry.format == FORMAT else f" {MARK}"),
        str(document["units"]),
        f"{document['parameters_effective']:,}",
        interval(document["score"], digits),
        over_seeds(document["seeds"], digits),
        "–" if corruption is None else f"{corruption['area_mean']:.2f}",
        f"{100 * form['rms_over_sigma']:.2g}",
        *(f"{costs[name]:,}" if name in costs else "–" for name in _COSTS),
    )


def interval(score: Mapping[str, Any], digits: int) -> str:
    """A figure with its interval."""
    value, low, high = (number(each, digits) for each in (score["value"], *score["ci95"]))
    return f"{value} ({low} to {high})"


def over_seeds(seeds: Mapping[str, Any], digits: int) -> str:
    """Mean and deviation over training seeds."""
    if seeds["std"] is None:
        return "one seed"
    return f"{number(seeds['mean'], digits)} ± {seeds['std']:.2g} ({len(seeds['runs'])})"


def number(value: float, digits: int = DIGITS) -> str:
    """A figure of merit, to so many significant digits."""
    return f"{value:.{digits}g}"
