"""The front as a picture: the first goal against each of the others."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ltc_edge.errors import InputError, require
from ltc_edge.files import write_atomically
from ltc_edge.sweep.figure_text import axis_text, value_text
from ltc_edge.sweep.front import Figure, TrialResult, pareto_front
from ltc_edge.sweep.front_axes import Axis, axis_of, costs_of, ticks
from ltc_edge.sweep.swept import Swept

# Of the palette of Okabe and Ito, which people with any colour vision tell apart; marks differ as well.
_FRONT, _PICK, _OTHER, _OVER = "#0072B2", "#D55E00", "#6B6B6B", "#A0A0A0"
_COLUMNS = 3


def can_draw(swept: Swept) -> bool:
    """Whether there is something to draw: trials with figures of two kinds."""
    return bool(_panels(swept))


def draw_front(swept: Swept, path: Path) -> None:
    """Draw a panel for each goal after the first.

    Args:
        swept: the sweep.
        path: the PNG file to write.

    Raises:
        InputError: no trial has figures.
        MissingExtraError: matplotlib is not installed.
        OutputError: the file cannot be written.
    """
    panels = _panels(swept)
    if not panels:
        raise InputError("no trial of the sweep has figures to draw")
    columns = min(_COLUMNS, len(panels))
    rows = -(-len(panels) // columns)
    figure = require("matplotlib.figure", "train").Figure(
        figsize=(max(4.3 * columns + 0.6, 6.4), 3.7 * rows + 1.1), layout="constrained"
    )
    axes = figure.subplots(rows, columns, sharey=True, squeeze=False)
    for axis, (across, up) in zip(axes.ravel(), panels, strict=False):
        _draw_panel(axis, swept, across, up)
    for axis in axes.ravel()[len(panels) :]:
        axis.set_visible(False)
    for axis in axes[:, 0]:
        axis.set_ylabel(axis_text(panels[0][1].objective))
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="outside lower center", ncols=3 if columns == 1 else 6, fontsize=8, frameon=False
    )
    figure.suptitle(_title(swept), x=0.01, ha="left", fontsize=11, fontweight="bold", parse_math=False)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=130, metadata={"Software": None})
    write_atomically(path, buffer.getvalue())


def _panels(swept: Swept) -> list[tuple[Axis, Axis]]:
    up = axis_of(swept, swept.goals[0])
    across = [axis_of(swept, objective) for objective in costs_of(swept)]
    return [] if up is None else [(axis, up) for axis in across if axis is not None]


def _draw_panel(axis: Any, swept: Swept, across: Axis, up: Axis) -> None:
    names = across.objective.name, up.objective.name
    drawn = [result for result in swept.complete if all(name in result.figures for name in names)]
    groups = _groups(swept, drawn)
    axis.set_xscale("log" if across.is_log else "linear")
    axis.set_yscale("log" if up.is_log else "linear")
    axis.set_xlim(across.low, across.high)
    axis.set_ylim(up.low, up.high)
    if groups["over budget"]:
        _scatter(axis, groups["over budget"], names, "over budget", marker="x", color=_OVER, s=22, zorder=2)
    style = {"marker": "o", "facecolors": "none", "edgecolors": _OTHER, "s": 22}
    _scatter(axis, groups["dominated"], names, "beaten by another", **style, zorder=3)
    _stairs(axis, swept, names)
    _bars(axis, groups["front"] + groups["doubted"], names)
    _scatter(axis, groups["front"], names, "front", marker="o", color=_FRONT, s=42, zorder=5)
    style = {"marker": "D", "facecolors": "white", "edgecolors": _FRONT, "linewidths": 1.4, "s": 34}
    _scatter(axis, groups["doubted"], names, "front, perhaps by chance", **style, zorder=5)
    style = {"marker": "o", "facecolors": "none", "edgecolors": _PICK, "linewidths": 2.2, "s": 190}
    _scatter(axis, groups["picked"], names, "recommended", **style, zorder=6)
    _limits(axis, swept, across, up)
    _finish(axis, drawn, across, up)


def _groups(swept: Swept, drawn: Sequence[TrialResult]) -> dict[str, list[TrialResult]]:
    doubted = {doubt.trial for doubt in swept.doubts}
    groups: dict[str, list[TrialResult]] = {
        name: [] for name in ("over budget", "dominated", "front", "doubted", "picked")
    }
    for result in drawn:
        if not result.feasible:
            groups["over budget"].append(result)
        elif swept.ranks[result.number] > 0:
            groups["dominated"].append(result)
        else:
            groups["doubted" if result.number in doubted else "front"].append(result)
        if swept.pick is not None and swept.pick.trial == result.number:
            groups["picked"].append(result)
    return groups


def _scatter(
    axis: Any, results: Sequence[TrialResult], names: tuple[str, str], label: str, **style: Any
) -> None:
    if results:
        points = [[result.figures[name].mean for result in results] for name in names]
        axis.scatter(*points, label=label, **style)


def _bars(axis: Any, results: Sequence[TrialResult], names: tuple[str, str]) -> None:
    """The intervals of the front, both ways."""
    for result in results:
        across, up = (result.figures[name] for name in names)
        style = {"color": _FRONT, "linewidth": 1.0, "alpha": 0.45, "zorder": 4}
        axis.plot(_reach(across), [up.mean, up.mean], **style)
        axis.plot([across.mean, across.mean], _reach(up), **style)


def _reach(figure: Figure) -> list[float]:
    if figure.low is None or figure.high is None:
        return [figure.mean, figure.mean]
    return [figure.low, figure.high]


def _stairs(axis: Any, swept: Swept, names: tuple[str, str]) -> None:
    """What can be had by these two figures alone, as a staircase; the front has further goals."""
    goals = [swept.goals[0], *(goal for goal in costs_of(swept) if goal.name == names[0])]
    feasible = [result for result in swept.complete if all(name in result.figures for name in names)]
    steps = sorted(
        pareto_front(feasible, goals), key=lambda result: [result.figures[name].mean for name in names]
    )
    if len(steps) > 1:
        points = [[result.figures[name].mean for result in steps] for name in names]
        axis.plot(*points, drawstyle="steps-post", color=_FRONT, linewidth=1.2, alpha=0.7, zorder=3.5)


def _limits(axis: Any, swept: Swept, across: Axis, up: Axis) -> None:
    """What the budget allows of either figure, where that is in sight."""
    style = {"color": _PICK, "linewidth": 1.0, "linestyle": "--", "zorder": 1}
    for limit in swept.budget.limits:
        if limit.name == across.objective.name and across.low < limit.value < across.high:
            axis.axvline(limit.value, **style)
        if limit.name == up.objective.name and up.low < limit.value < up.high:
            axis.axhline(limit.value, **style)


def _finish(axis: Any, drawn: Sequence[TrialResult], across: Axis, up: Axis) -> None:
    ticker = require("matplotlib.ticker", "train")
    for side, shown in ((axis.xaxis, across), (axis.yaxis, up)):
        side.set_major_locator(ticker.FixedLocator(ticks(shown)))
        side.set_minor_formatter(ticker.NullFormatter())
        side.set_major_formatter(ticker.FuncFormatter(lambda value, _: value_text(value)))
    axis.set_xlabel(axis_text(across.objective))
    axis.grid(alpha=0.25)
    axis.set_axisbelow(True)
    axis.spines[["top", "right"]].set_visible(False)
    axis.tick_params(labelsize=8.5)
    unseen = sum(not _is_seen(result, across) or not _is_seen(result, up) for result in drawn)
    if unseen:
        said = f"{unseen} worse trial{'s' if unseen > 1 else ''} beyond the axes"
        axis.set_title(said, loc="right", fontsize=8, color=_OTHER, pad=3)


def _is_seen(result: TrialResult, axis: Axis) -> bool:
    return 0.0 <= axis.share(result.figures[axis.objective.name].mean) <= 1.0


def _title(swept: Swept) -> str:
    line = f"{swept.task}: {len(swept.front)} of {len(swept.results)} trials are on the front"
    plain = "".join(letter if letter.isprintable() else "?" for letter in line)
    plain = plain.encode("latin-1", "replace").decode("latin-1")
    return plain if len(plain) <= 90 else f"{plain[:87]}..."
