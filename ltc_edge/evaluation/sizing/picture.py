"""The picture of a sizing: dimension against scale, and the learning curves."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np

from ltc_edge.errors import require
from ltc_edge.evaluation.sizing.dimension import Dimension
from ltc_edge.evaluation.sizing.recommendation import standard_error
from ltc_edge.evaluation.sizing.report import Sizing
from ltc_edge.files import write_atomically


def draw_sizing(sizing: Sizing, title: str, path: Path) -> None:
    """Draw the effective dimension against scale and, where there are any, the learning curves, to a PNG.

    Raises:
        MissingExtraError: matplotlib is not installed.
        OutputError: the file cannot be written.
    """
    panels = 1 if sizing.curve is None else 2
    figure = require("matplotlib.figure", "train").Figure(figsize=(5.4 * panels, 4.4), layout="constrained")
    axes = figure.subplots(1, panels, squeeze=False)[0]
    _draw_dimension(axes[0], sizing.dimension)
    if panels == 2:
        _draw_curves(axes[1], sizing)
    figure.suptitle(title, fontsize="medium")
    buffer = io.BytesIO()
    # No creation date in the file: the same data give the same picture.
    figure.savefig(buffer, format="png", dpi=120, metadata={"Software": None})
    write_atomically(path, buffer.getvalue())


def _draw_dimension(axis: Any, found: Dimension) -> None:
    share = [100.0 * scale.share for scale in found.scales]
    for name, label, colour in (
        ("two_nn", "TwoNN at k, 2k", "tab:gray"),
        ("mle", "MLE of 2k", "tab:green"),
        ("calibrated", "TwoNN, calibrated", "tab:blue"),
    ):
        estimates = [getattr(scale, name) for scale in found.scales]
        low, high = zip(*(each.ci95 for each in estimates), strict=True)
        axis.fill_between(share, low, high, color=colour, alpha=0.2, linewidth=0)
        values = [each.value for each in estimates]
        axis.plot(share, values, color=colour, marker="o", markersize=3, linewidth=1.2, label=label)
    ratio = found.participation_ratio.value
    axis.axhline(ratio, color="tab:orange", linestyle="--", linewidth=1.0, label="participation ratio")
    chosen = [share[index] for index in found.plateau]
    axis.axvspan(chosen[0], chosen[-1], color="tab:blue", alpha=0.08, linewidth=0)
    value = found.estimate.value
    axis.plot(
        chosen[:: len(chosen) - 1], [value, value], color="black", linewidth=2, label=f"estimate {value:.1f}"
    )
    axis.set_xscale("log")
    axis.set_ylim(bottom=0.0)
    axis.xaxis.set_major_formatter("{x:g}")
    axis.set_xlabel("points in a neighbourhood [%]")
    axis.set_ylabel("effective dimension of the inputs")
    axis.grid(alpha=0.25)
    axis.legend(fontsize="small")


def _draw_curves(axis: Any, sizing: Sizing) -> None:
    assert sizing.curve is not None
    for number, cell in enumerate(sizing.curve.cells):
        candidates, colour = sizing.curve.of(cell), f"C{number}"
        size = [each.parameters for each in candidates]
        chosen = sizing.recommendations[cell].chosen
        label = cell if chosen is None else f"{cell}: {chosen.options.units} units"
        mean = [float(np.mean(each.held_out)) for each in candidates]
        error = [standard_error(each.held_out) for each in candidates]
        axis.errorbar(size, mean, yerr=error, color=colour, marker="o", markersize=4, capsize=2, label=label)
        trained = [float(np.mean(each.trained)) for each in candidates]
        axis.plot(size, trained, color=colour, linestyle=":", linewidth=1.0)
        if chosen is not None:
            at = chosen.parameters, float(np.mean(chosen.held_out))
            axis.plot(*at, marker="o", markersize=12, markerfacecolor="none", color=colour)
    guess = float(np.mean(sizing.curve.guess))
    axis.axhline(guess, color="tab:gray", linestyle="--", linewidth=1.0, label="a guess")
    axis.set_xscale("log")
    if all(each.held_out.min() > 0 and each.trained.min() > 0 for each in sizing.curve.candidates):
        axis.set_yscale("log")
    axis.set_xlabel("parameters")
    classes = sizing.subject.data.kind == "classification"
    axis.set_ylabel("wrong rows, held out" if classes else "held-out squared error / variance")
    axis.set_title("ring: recommended; dotted: error in training", fontsize="small")
    axis.grid(alpha=0.25)
    axis.legend(fontsize="small")
