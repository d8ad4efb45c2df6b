"""Pictures of a profile: how long steps took, up to the rarest, and how late paced ones began."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ltc_edge.errors import InputError, require
from ltc_edge.profiling.agent.lookup import field, number
from ltc_edge.profiling.drawing import (
    BLACK,
    BLUE,
    ORANGE,
    SMALLEST_US,
    VERMILLION,
    plain_text,
    time_axis,
    time_text,
    write_png,
)

_MARKS = {
    "p50": ("p50", BLACK, "-"),
    "p99": ("p99", ORANGE, "--"),
    "p999": ("p99.9", VERMILLION, "-."),
    "max": ("max", BLUE, ":"),
}
"""Figures that are marked: their name in the picture, colour and line style."""
_WIDTH, _PANEL, _WAKEUPS, _ROW, _AROUND = 10.0, 1.15, 0.75, 0.3, 1.3
_COLUMN, _COLUMN_WIDTH = 0.755, 0.062
"""Where the columns of figures begin right of the panels, and how wide they are; shares of the picture."""
_EMPTY = 0.5
"""Where a logarithmic axis of counts begins, so that a single step still has a height."""


@dataclass(frozen=True)
class _Histogram:
    """Times in microseconds: ``edges`` ``(n + 1,)``, ``counts`` ``(n,)``, and the figures to mark by key."""

    name: str
    edges: Sequence[float]
    counts: Sequence[float]
    marks: Mapping[str, float]


def can_draw(profile: Mapping[str, Any]) -> bool:
    """Whether a profile has what `draw_histograms` draws; an emulated target measures no times."""
    return bool(_of_steps(profile) or _of_wakeups(profile))


def draw_histograms(profile: Mapping[str, Any], path: Path) -> None:
    """Draw a panel with the latencies of each format, and one with the wake-ups of the paced runs, if any.

    Args:
        profile: a document as in ``docs/profile-format.md``.
        path: the PNG file to write.

    Raises:
        InputError: nothing in it can be drawn.
        MissingExtraError: matplotlib is not installed.
        OutputError: the file cannot be written.
    """
    steps, wakeups = _of_steps(profile), _of_wakeups(profile)
    if not steps and not wakeups:
        raise InputError("the profile has no latencies to draw; profile a format that runs on a device")
    heights = [_PANEL] * len(steps) + ([_WAKEUPS + _ROW * len(wakeups)] if wakeups else [])
    figure = require("matplotlib.figure", "plots").Figure(
        figsize=(_WIDTH, _AROUND + sum(heights)), layout="constrained"
    )
    figure.get_layout_engine().set(rect=(0.0, 0.0, _COLUMN - 0.015, 1.0))
    axes = figure.subplots(len(heights), 1, squeeze=False, height_ratios=heights)[:, 0]
    _draw_steps(axes[: len(steps)], steps)
    if wakeups:
        _draw_wakeups(axes[-1], wakeups)
    _write_head(figure, profile)
    write_png(figure, path)


def _draw_steps(axes: Sequence[Any], histograms: Sequence[_Histogram]) -> None:
    """One panel a format, all over the same times."""
    for axis, histogram in zip(axes, histograms, strict=True):
        heights = [max(count, _EMPTY) for count in histogram.counts]
        axis.set_yscale("log")
        axis.stairs(heights, histogram.edges, baseline=_EMPTY, fill=True, color=BLUE, alpha=0.3, linewidth=0)
        axis.stairs(heights, histogram.edges, baseline=_EMPTY, color=BLUE, linewidth=0.9)
        for key, value in histogram.marks.items():
            _, color, style = _MARKS[key]
            axis.axvline(value, color=color, linestyle=style, linewidth=1.6)
        axis.set_ylim(_EMPTY, 2.5 * max(heights))
        axis.set_yticks(_decades(max(heights)), minor=False)
        axis.set_yticks([], minor=True)
        axis.tick_params(axis="y", labelsize=8)
        axis.set_ylabel("steps", fontsize=8)
        axis.set_title(histogram.name, loc="left", fontsize=9.5, fontweight="bold", pad=4, parse_math=False)
        _write_figures(axis, 0.5, histogram.marks, axis.transAxes)
        time_axis(axis, _reach(histograms))
        if axis is not axes[-1]:
            axis.tick_params(axis="x", labelbottom=False)
            # Laying out hundreds of small ticks takes most of the time of a picture.
            axis.minorticks_off()
    if len(axes):
        axes[-1].set_xlabel("time of a step (both axes are logarithmic)", fontsize=9)
        _write_heading(axes[0])


def _draw_wakeups(axis: Any, histograms: Sequence[_Histogram]) -> None:
    """A strip a paced run, the darker the more often its steps began so late."""
    colors = require("matplotlib.colors", "plots")
    most = max(max(histogram.counts, default=0.0) for histogram in histograms)
    norm = colors.LogNorm(_EMPTY, max(most, 2.0))
    for row, histogram in enumerate(histograms):
        if histogram.counts:
            cells = [[count if count > 0 else math.nan for count in histogram.counts]]
            edges = (row - 0.3, row + 0.3)
            axis.pcolormesh(histogram.edges, edges, cells, norm=norm, cmap="Blues", rasterized=True)
        for key, value in histogram.marks.items():
            axis.plot([value] * 2, [row - 0.36, row + 0.36], color=_MARKS[key][1], linewidth=2.2)
        _write_figures(axis, row, histogram.marks, axis.transData)
    names = [histogram.name for histogram in histograms]
    axis.set_yticks(range(len(names)), names, fontsize=8.5, parse_math=False)
    axis.tick_params(axis="y", length=0)
    axis.set_ylim(len(names) - 0.4, -0.75)
    axis.set_title("Wake-ups of paced runs", loc="left", fontsize=9.5, fontweight="bold", pad=4)
    time_axis(axis, _reach(histograms))
    _write_heading(axis)
    axis.set_xlabel("how late a step began (logarithmic); the darker, the more often", fontsize=9)


def _write_figures(axis: Any, height: float, marks: Mapping[str, float], vertical: Any) -> None:
    """The marked figures right of a panel, each in its column, at a ``height`` that ``vertical`` maps."""
    for column, key in enumerate(_MARKS):
        if key in marks:
            _outside(axis, vertical, column, height, time_text(marks[key]), va="center", fontsize=8.5)


def _write_heading(axis: Any) -> None:
    """What the columns of figures are, and a piece of the line that marks each."""
    for column, (label, color, style) in enumerate(_MARKS.values()):
        text = _outside(
            axis, axis.transAxes, column, 1.02, label, va="bottom", fontsize=8.5, fontweight="bold"
        )
        left = _COLUMN + column * _COLUMN_WIDTH
        (line,) = axis.plot([left, left + 0.7 * _COLUMN_WIDTH], [1.0] * 2, color=color, linestyle=style)
        line.set(transform=text.get_transform(), clip_on=False, linewidth=1.8, in_layout=False)


def _outside(axis: Any, vertical: Any, column: int, height: float, text: str, **style: Any) -> Any:
    """Text in the margin that the layout leaves free; ``height`` is in what ``vertical`` maps."""
    transforms = require("matplotlib.transforms", "plots")
    place = transforms.blended_transform_factory(axis.figure.transFigure, vertical)
    written = axis.text(_COLUMN + column * _COLUMN_WIDTH, height, text, transform=place, **style)
    written.set_in_layout(False)
    return written


def _reach(histograms: Sequence[_Histogram]) -> list[float]:
    """All times that an axis must show."""
    return [value for found in histograms for value in (*found.edges, *found.marks.values())]


def _write_head(figure: Any, profile: Mapping[str, Any]) -> None:
    """What was measured where, and why it cannot be trusted if so."""
    name = field(profile, "subject", "name") or "a controller"
    where = field(profile, "device", "model") or field(profile, "device", "soc")
    title = f"{name} on {profile.get('target')}" + (f" ({where})" if where else "")
    figure.suptitle(
        plain_text(title, 90), x=0.01, ha="left", fontsize=12, fontweight="bold", parse_math=False
    )
    problems = profile.get("problems")
    if profile.get("valid") is False:
        why = str(problems[0]) if isinstance(problems, list) and problems else "see the profile"
        text = plain_text(f"Not valid: {why}", 120)
        figure.supxlabel(text, x=0.01, ha="left", fontsize=9.5, color=VERMILLION, parse_math=False)


def _of_steps(profile: Mapping[str, Any]) -> list[_Histogram]:
    """The latencies of every format that has some, the fastest first."""
    found = []
    for name, entry in _formats(profile):
        histogram = _read(name, field(entry, "histogram"), field(entry, "latency_us"))
        if histogram is not None and histogram.counts:
            found.append(histogram)
    return sorted(found, key=lambda histogram: histogram.marks.get("p50", math.inf))


def _of_wakeups(profile: Mapping[str, Any]) -> list[_Histogram]:
    """The wake-ups of every paced run that was made."""
    found = []
    for name, entry in _formats(profile):
        runs = entry.get("paced")
        for run in runs if isinstance(runs, list) else ():
            title = f"{name}, {field(run, 'load')}, {str(field(run, 'scheduling')).replace(':', ' ')}"
            histogram = _read(title, field(run, "wakeup_histogram"), field(run, "wakeup_us"))
            if histogram is not None and histogram.marks:
                found.append(histogram)
    return found


def _formats(profile: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    formats = profile.get("formats")
    found = formats.items() if isinstance(formats, Mapping) else ()
    return [(str(name), entry) for name, entry in found if isinstance(entry, Mapping)]


def _read(name: str, histogram: Any, figures: Any) -> _Histogram | None:
    """A histogram and its figures out of a profile; None where neither can be drawn."""
    edges, counts = _numbers(field(histogram, "edges_us")), _numbers(field(histogram, "counts"))
    rising = all(low <= high for low, high in itertools.pairwise(edges))
    if len(edges) != len(counts) + 1 or not counts or not rising or edges[0] <= 0.0 or min(counts) < 0.0:
        edges, counts = [], []
    read = {key: number(field(figures, key)) for key in _MARKS}
    marks = {key: max(value, SMALLEST_US) for key, value in read.items() if value is not None}
    return _Histogram(plain_text(name, 48), edges, counts, marks) if edges or marks else None


def _numbers(values: Any) -> list[float]:
    """A list of numbers; empty where one is none."""
    found = [number(value) for value in values] if isinstance(values, (list, tuple)) else []
    return [value for value in found if value is not None] if None not in found else []


def _decades(most: float) -> list[float]:
    """Powers of ten up to ``most``, at most four of them."""
    last = max(int(math.log10(max(most, 1.0))), 0)
    return [10.0**power for power in range(0, last + 1, last // 3 + 1)]
