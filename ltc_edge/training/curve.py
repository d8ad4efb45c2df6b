"""The picture of a run: loss and validation figure a round."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ltc_edge.errors import require
from ltc_edge.files import write_atomically


def draw_learning_curve(history: Sequence[Mapping[str, Any]], metric: str, title: str, path: Path) -> None:
    """Draw ``history``, as in ``metrics.jsonl``, to a PNG.

    Raises:
        MissingExtraError: matplotlib is not installed.
        OutputError: the file cannot be written.
    """
    figure = require("matplotlib.figure", "train").Figure(figsize=(7.5, 4.2), layout="constrained")
    loss_axis = figure.add_subplot()
    rounds = [record["round"] + 1 for record in history]  # counted as the progress lines count
    losses = [record["loss"] for record in history]
    loss_axis.plot(rounds, losses, color="tab:gray", linewidth=1.2, marker=".", label="training loss")
    if min(losses, default=0.0) > 0:
        loss_axis.set_yscale("log")
    loss_axis.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
    loss_axis.set_xlabel("round")
    loss_axis.set_ylabel("training loss", color="tab:gray")
    loss_axis.grid(alpha=0.25)
    validated = [(record["round"] + 1, record[metric]) for record in history if record[metric] is not None]
    if validated:
        value_axis = loss_axis.twinx()
        value_axis.plot(
            *zip(*validated, strict=True), color="tab:blue", marker="o", markersize=3, label=metric
        )
        value_axis.set_ylabel(metric.replace("_", " "), color="tab:blue")
    loss_axis.set_title(title)
    buffer = io.BytesIO()
    # No creation date in the file: the same run gives the same picture.
    figure.savefig(buffer, format="png", dpi=120, metadata={"Software": None})
    write_atomically(path, buffer.getvalue())
