"""The tables of ``docs/zoo.md``, from the index."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ltc_edge.zoo.entry import FORMAT, TARGET, Entry
from ltc_edge.zoo.index import Index

BEGIN, END = "<!-- tables: tools/build_zoo.py writes them -->", "<!-- end of the tables -->"
COLUMNS = (
    "name",
    "units",
    "parameters",
    f"figure in {FORMAT}, 95 % interval",
    "expert",
    "over training seeds",
    "corruption",
    f"error of {FORMAT}, % of σ",
    "flash",
    "RAM",
    "instructions",
)


def page_tables(index: Index) -> str:
    """A Markdown table of every entry, and a line for each task that has none."""
    rows = [COLUMNS, ("---",) * len(COLUMNS), *(page_row(entry) for entry in index.entries.values())]
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    absent = [f"- `{each.task}`: {each.reason}" for each in index.missing]
    return "\n".join([*lines, *(["", "Not there:", "", *absent] if absent else [])])


def page_row(entry: Entry) -> tuple[str, ...]:
    """An entry's row."""
    document = entry.document
    corruption = document["corruption"]
    form = document["formats"][FORMAT]
    costs = form["firmware"].get(TARGET, {})
    return (
        f"`{entry.name}`",
        str(document["units"]),
        f"{document['parameters_effective']:,}",
        f"{entry.metric} {interval(document['score'])}",
        _number(document["score"]["expert"]) if "expert" in document["score"] else "–",
        over_seeds(document["seeds"]),
        "–" if corruption is None else f"{corruption['area_mean']:.2f}",
        f"{100 * form['rms_over_sigma']:.2g}",
        *(f"{costs[name]:,}" if name in costs else "–" for name in _COSTS),
    )


_COSTS = ("flash_bytes", "ram_bytes", "instructions_per_step")


def interval(score: Mapping[str, Any]) -> str:
    """A figure with its interval, for people."""
    low, high = score["ci95"]
    return f"{_number(score['value'])} ({_number(low)} to {_number(high)})"


def over_seeds(seeds: Mapping[str, Any]) -> str:
    """Mean and deviation over training seeds, for people."""
    count = len(seeds["runs"])
    if seeds["std"] is None:
        return f"{_number(seeds['mean'])} (one seed)"
    return f"{_number(seeds['mean'])} ± {seeds['std']:.2g} ({count})"


def _number(value: float) -> str:
    return f"{value:.5g}"
