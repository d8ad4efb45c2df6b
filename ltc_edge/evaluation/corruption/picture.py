"""The severity curves as a picture: what is left of the return, and how many episodes fail."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from ltc_edge.errors import require
from ltc_edge.evaluation.corruption.campaign import Curve
from ltc_edge.evaluation.corruption.pack import PACK, SEVERITIES
from ltc_edge.evaluation.corruption.scores import Score
from ltc_edge.files import write_atomically

COLUMNS = 3


def draw_curves(nominal: Score, curves: Sequence[Curve], title: str, path: Path) -> None:
    """Draw a panel a kind: the normalised return and the failure rate, with its interval, over severity.

    Raises:
        MissingExtraError: matplotlib is not installed.
        OutputError: the file cannot be written.
    """
    columns = min(COLUMNS, len(curves))
    rows = -(-len(curves) // columns)
    figure = require("matplotlib.figure", "train").Figure(
        figsize=(3.4 * columns + 0.6, 1.9 * rows + 1.2), layout="constrained"
    )
    # Each kind has its own levels below, so that the horizontal axes cannot be shared.
    axes = figure.subplots(rows, columns, sharey=True, squeeze=False).ravel()
    for axis, curve in zip(axes, curves, strict=False):
        scores = (nominal, *curve.scores)
        severities = (0, *SEVERITIES)
        low, high = zip(*(each.failure_ci95 for each in scores), strict=True)
        axis.fill_between(severities, low, high, color="tab:red", alpha=0.2, linewidth=0)
        failing = [each.failure_rate for each in scores]
        axis.plot(severities, failing, color="tab:red", marker="x", markersize=4, label="failure rate")
        if nominal.normalised is not None:
            heights = [each.normalised for each in scores]
            axis.plot(
                severities, heights, color="tab:blue", marker="o", markersize=4, label="normalised return"
            )
        area = "" if curve.area is None else f", area {curve.area.value:.2f}"
        axis.set_title(f"{curve.kind}{area}", fontsize="small")
        axis.set_xticks(severities, _levels(curve.kind), fontsize="x-small")
        axis.set_xlabel(PACK[curve.kind].unit, fontsize="x-small")
        axis.set_ylim(-0.08, 1.12)
        axis.grid(alpha=0.25)
    for axis in axes[len(curves) :]:
        axis.set_visible(False)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2, fontsize="small", frameon=False)
    figure.suptitle(title, fontsize="medium")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110, metadata={"Software": None})
    write_atomically(path, buffer.getvalue())


def _levels(kind: str) -> list[str]:
    return [f"{PACK[kind].level(severity):g}" for severity in (0, *SEVERITIES)]
