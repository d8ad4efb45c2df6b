"""Pictures of one episode and of one window of recordings."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ltc_edge.controller import Controller
from ltc_edge.errors import require
from ltc_edge.evaluation.recordings import RecordingsReport
from ltc_edge.evaluation.rollout import Episodes
from ltc_edge.files import write_atomically
from ltc_edge.signals import ActionSignal, ObservationSignal

MAX_PANELS = 8
"""More signals than these would not be readable; the first are drawn."""


def draw_episode(controller: Controller, episodes: Episodes, title: str, path: Path) -> None:
    """Draw the first of ``episodes``: every observation and every action with its limits, over seconds.

    Raises:
        MissingExtraError: matplotlib is not installed.
        OutputError: the file cannot be written.
    """
    length = int(episodes.length[0])
    # The first dt is the period before the episode, which starts at zero.
    time_s = np.cumsum(episodes.dt_s[0, :length]) - episodes.dt_s[0, 0]
    signals: list[ObservationSignal | ActionSignal] = [
        *controller.observations[: MAX_PANELS - len(controller.actions)],
        *controller.actions,
    ]
    shown = len(signals) - len(controller.actions)
    columns = [*episodes.observation[0, :length, :shown].T, *episodes.action[0, :length].T]
    figure, axes = _panels(len(signals))
    for axis, signal, column in zip(axes, signals, columns, strict=True):
        is_action = isinstance(signal, ActionSignal)
        style = "steps-post" if is_action else "default"
        axis.plot(
            time_s, column, linewidth=1.1, color="tab:red" if is_action else "tab:blue", drawstyle=style
        )
        if isinstance(signal, ActionSignal):
            for limit in (signal.low, signal.high):
                if np.isfinite(limit):
                    axis.axhline(limit, color="tab:gray", linewidth=0.8, linestyle="--")
        _label(axis, signal)
    axes[-1].set_xlabel("time [s]")
    hidden = len(controller.observations) - shown
    figure.suptitle(f"{title}" + (f" ({hidden} more observations not drawn)" if hidden else ""))
    _save(figure, path)


def draw_window(controller: Controller, report: RecordingsReport, title: str, path: Path) -> None:
    """Draw the first test window: each output and its target, or the class scores and the true class.

    Raises:
        MissingExtraError: matplotlib is not installed.
        OutputError: the file cannot be written.
    """
    signals = controller.actions[:MAX_PANELS]
    figure, axes = _panels(len(signals))
    for index, (axis, signal) in enumerate(zip(axes, signals, strict=True)):
        axis.plot(
            report.time_s, report.predicted[:, index], color="tab:red", linewidth=1.2, label="controller"
        )
        if report.target.ndim == 2:
            recorded = report.target[:, index]
            axis.plot(report.time_s, recorded, color="black", linewidth=1.0, linestyle=":", label="recorded")
        else:
            axis.fill_between(
                report.time_s,
                *axis.get_ylim(),
                where=report.target == index,
                color="tab:gray",
                alpha=0.25,
                label="true class",
                step="mid",
            )
        _label(axis, signal)
    axes[0].legend(loc="best", fontsize="small")
    axes[-1].set_xlabel("time [s]")
    figure.suptitle(title)
    _save(figure, path)


def _panels(count: int) -> tuple[Any, Sequence[Any]]:
    figure = require("matplotlib.figure", "train").Figure(
        figsize=(8.0, 1.2 + 1.25 * count), layout="constrained"
    )
    return figure, figure.subplots(count, 1, sharex=True, squeeze=False)[:, 0]


def _label(axis: Any, signal: ObservationSignal | ActionSignal) -> None:
    name = signal.name.replace("_", " ")
    axis.set_ylabel(f"{name}\n[{signal.unit}]" if signal.unit else name, fontsize="small")
    axis.grid(alpha=0.25)


def _save(figure: Any, path: Path) -> None:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110, metadata={"Software": None})
    write_atomically(path, buffer.getvalue())
