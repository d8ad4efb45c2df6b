"""A sweep as a picture: errors and Lipschitz bounds over the number of parameters."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np

from ltc_edge.arrays import FloatArray
from ltc_edge.errors import require
from ltc_edge.evaluation.descent.curve import Curve, over_seeds
from ltc_edge.evaluation.descent.swept import Swept
from ltc_edge.evaluation.descent.verdict import Verdict
from ltc_edge.files import write_atomically

LOWEST_DRAWN = 1e-5
"""Errors of closed forms, 1e-28, would press all else to the top."""

TRAIN, TEST, RIDGE, BOUNDS = "tab:blue", "tab:red", "tab:green", "tab:purple"


def draw_sweep(swept: Swept, path: Path) -> None:
    """Draw a column for each share of wrong labels.

    Raises:
        MissingExtraError: matplotlib is not installed.
        OutputError: the file cannot be written.
    """
    curves, marks = swept.curves, {"n·outputs": float(swept.labels)}
    if swept.n_d_eff is not None:
        marks["n·d_eff"] = swept.n_d_eff
    rows = 2 if all(curve.lipschitz is not None for curve in curves) else 1
    figure = require("matplotlib.figure", "train").Figure(
        figsize=(0.8 + 4.6 * len(curves), 1.4 + 2.9 * rows), layout="constrained"
    )
    axes = figure.subplots(rows, len(curves), sharex=True, sharey="row", squeeze=False)
    for column, (curve, verdict) in enumerate(zip(curves, swept.verdicts, strict=True)):
        _draw_errors(axes[0, column], curve, verdict)
        if rows == 2:
            _draw_bounds(axes[1, column], curve)
        for row in range(rows):
            _draw_marks(axes[row, column], marks, labelled=row == 0)
            axes[row, column].grid(alpha=0.25)
        axes[-1, column].set_xlabel("parameters p")
    axes[0, 0].set_ylabel("error / variance" if curves[0].logarithmic else "share of wrong classes")
    if rows == 2:
        axes[1, 0].set_ylabel("Lipschitz constant, bounds")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=5, fontsize="small", frameon=False)
    figure.suptitle(swept.title, fontsize="medium")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110, metadata={"Software": None})
    write_atomically(path, buffer.getvalue())


def _draw_errors(axis: Any, curve: Curve, verdict: Verdict) -> None:
    axis.set_xscale("log")
    if curve.logarithmic:
        axis.set_yscale("log")
    _band(axis, curve, curve.train_error, TRAIN, "train", "s")
    _band(axis, curve, curve.test_error, TEST, "test", "o")
    if curve.ridge_error is not None:
        _band(axis, curve, curve.ridge_error, RIDGE, "test, ridge", "^")
    if verdict.interpolates_from is not None:
        first = curve.parameters[verdict.interpolates_from]
        axis.axvspan(first, curve.parameters[-1], color=TRAIN, alpha=0.06, linewidth=0)
    seen = "peak seen" if verdict.peak is not None else "no peak seen"
    axis.set_title(f"{100 * curve.noise:g} % wrong labels: {seen}", fontsize="small")


def _draw_bounds(axis: Any, curve: Curve) -> None:
    assert curve.lipschitz is not None
    axis.set_yscale("log")
    ends = [[over_seeds(row[:, end], logarithmic=True).mean for row in curve.lipschitz] for end in range(2)]
    axis.fill_between(curve.parameters, *ends, color=BOUNDS, alpha=0.2, linewidth=0)
    for end, style in zip(ends, ("-", "--"), strict=True):
        axis.plot(curve.parameters, end, style, color=BOUNDS, linewidth=1.1)


def _band(axis: Any, curve: Curve, errors: FloatArray, color: str, label: str, marker: str) -> None:
    floor = LOWEST_DRAWN if curve.logarithmic else 0.0
    summary = curve.summary(errors)
    low, mean, high = (
        np.maximum(values, floor)
        for values in (
            [each.ci95[0] for each in summary],
            [each.mean for each in summary],
            [each.ci95[1] for each in summary],
        )
    )
    axis.fill_between(curve.parameters, low, high, color=color, alpha=0.18, linewidth=0)
    axis.plot(curve.parameters, mean, color=color, marker=marker, markersize=4, linewidth=1.2, label=label)


def _draw_marks(axis: Any, marks: dict[str, float], *, labelled: bool) -> None:
    for (name, place), style in zip(marks.items(), ("--", ":"), strict=False):
        axis.axvline(place, color="black", linewidth=0.9, linestyle=style, label=name if labelled else None)
