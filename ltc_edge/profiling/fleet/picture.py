"""A picture of a fleet: of each format a panel, of each device a line from its p50 to its p99."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ltc_edge.errors import require
from ltc_edge.profiling.drawing import (
    BLACK,
    BLUE,
    GRAY,
    ORANGE,
    SMALLEST_US,
    VERMILLION,
    plain_text,
    time_axis,
    time_text,
    write_png,
)

MOST_ROWS = 60
"""Of a panel; of a larger fleet the slowest are drawn, which is what one looks for."""
_WIDTH, _ROW, _PANEL, _AROUND = 9.0, 0.24, 0.75, 0.75


@dataclass(frozen=True)
class _Row:
    """A device in a panel; times in microseconds."""

    label: str
    p50: float
    p99: float
    median: float | None
    straggler: bool


def can_draw(document: Mapping[str, Any]) -> bool:
    """Whether any device has times; an emulated one has none."""
    return bool(_panels(document))


def draw_fleet(document: Mapping[str, Any], path: Path) -> None:
    """Draw p50 and p99 of every device, the slowest below, beside the median of those like it.

    Args:
        document: of a fleet, as docs/fleet.md says it.
        path: the PNG file to write.

    Raises:
        MissingExtraError: matplotlib is not installed.
        OutputError: the file cannot be written.
    """
    panels = _panels(document)
    heights = [_PANEL + _ROW * len(rows) for rows in panels.values()]
    figure = require("matplotlib.figure", "plots").Figure(
        figsize=(_WIDTH, _AROUND + sum(heights)), layout="constrained"
    )
    axes = figure.subplots(len(heights), 1, squeeze=False, height_ratios=heights)[:, 0]
    times = [time for rows in panels.values() for row in rows for time in (row.p50, row.p99)]
    for axis, (form, rows) in zip(axes, panels.items(), strict=True):
        axis.set_title(plain_text(form, 48), loc="left", fontsize=9.5, fontweight="bold", parse_math=False)
        _draw_rows(axis, rows)
        time_axis(axis, times)
    axes[-1].set_xlabel("time of a step (logarithmic)", fontsize=9)
    _draw_legend(figure, panels)
    name = plain_text(str(document["subject"]["name"]), 60)
    missing = sum(not device["formats"] for device in document["devices"].values())
    without = f", {missing} without figures" if missing else ""
    title = f"{name} on {len(document['devices'])} devices{without}"
    figure.suptitle(title, x=0.01, ha="left", fontsize=12, fontweight="bold", parse_math=False)
    write_png(figure, path)


def _draw_rows(axis: Any, rows: list[_Row]) -> None:
    for height, row in enumerate(rows):
        color = VERMILLION if row.straggler else BLUE
        axis.plot([row.p50, row.p99], [height] * 2, color=color, linewidth=1.4, alpha=0.55)
        axis.plot([row.p50], [height], "o", color=color, markersize=5.5)
        axis.plot([row.p99], [height], "D", color=ORANGE, markersize=4.5)
        if row.median is not None:
            axis.plot([row.median], [height], "|", color=BLACK, markersize=11, markeredgewidth=1.6)
        text = f"{time_text(row.p50)}, {time_text(row.p99)}"
        axis.annotate(
            text, (1.0, height), (4, 0), ("axes fraction", "data"), "offset points", va="center", fontsize=8
        )
    axis.set_yticks(range(len(rows)), [row.label for row in rows], fontsize=8.5, parse_math=False)
    for tick, row in zip(axis.get_yticklabels(), rows, strict=True):
        tick.set_color(VERMILLION if row.straggler else BLACK)
    axis.tick_params(axis="y", length=0)
    axis.set_ylim(len(rows) - 0.4, -0.6)


def _draw_legend(figure: Any, panels: Mapping[str, list[_Row]]) -> None:
    lines = require("matplotlib.lines", "plots")
    rows = [row for panel in panels.values() for row in panel]
    marks = [("p50", "o", BLUE, 5.5), ("p99", "D", ORANGE, 4.5)]
    if any(row.median is not None for row in rows):
        marks.append(("median p50 of devices like it", "|", BLACK, 10.0))
    if any(row.straggler for row in rows):
        marks.append(("straggler", "o", VERMILLION, 5.5))
    handles = [
        lines.Line2D([], [], color=color, marker=mark, linestyle="", markersize=size, label=label)
        for label, mark, color, size in marks
    ]
    figure.legend(
        handles=handles, loc="upper right", ncols=len(handles), fontsize=8.5, frameon=False, labelcolor=GRAY
    )


def _panels(document: Mapping[str, Any]) -> dict[str, list[_Row]]:
    """The devices of each format that have times of it, the fastest first."""
    panels: dict[str, list[_Row]] = {}
    for label, device in document["devices"].items():
        for form, reading in device["formats"].items():
            if reading["p50_us"] is not None:
                panels.setdefault(form, []).append(_row(label, reading))
    return {
        form: sorted(rows, key=lambda row: row.p50)[-MOST_ROWS:]
        for form, rows in sorted(panels.items(), key=lambda panel: min(row.p50 for row in panel[1]))
    }


def _row(label: str, reading: Mapping[str, Any]) -> _Row:
    p50, alike = max(reading["p50_us"], SMALLEST_US), reading["alike"]
    return _Row(
        label=label,
        p50=p50,
        p99=max(reading["p99_us"] or p50, p50),
        median=None if alike is None else max(alike["median_us"], SMALLEST_US),
        straggler=alike is not None and alike["straggler"],
    )
