"""Gradients by lag as a picture."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np

from ltc_edge.errors import require
from ltc_edge.evaluation.memory.decay import HORIZON_SHARE, Decay
from ltc_edge.evaluation.memory.reach import Reach
from ltc_edge.files import write_atomically

LOWEST_SHARE = 1e-12
"""Bottom of the picture: what is below does not matter to anyone."""


def draw_reach(reach: Reach, period_s: float, title: str, path: Path) -> None:
    """Draw the gradient of state and action over its peak against the lag, trained and untrained.

    Raises:
        MissingExtraError: matplotlib is not installed.
        OutputError: the file cannot be written.
    """
    figure = require("matplotlib.figure", "train").Figure(figsize=(7.2, 4.2), layout="constrained")
    axis = figure.subplots()
    lines = [
        ("state", reach.trained.state, "tab:blue", "-"),
        ("action", reach.trained.action, "tab:red", "-"),
    ]
    if reach.untrained is not None:
        lines += [
            ("state, untrained", reach.untrained.state, "tab:blue", ":"),
            ("action, untrained", reach.untrained.action, "tab:red", ":"),
        ]
    for name, decay, colour, style in lines:
        share = np.where(decay.share > 0, decay.share, np.nan)
        axis.plot(share, color=colour, linestyle=style, linewidth=1.4, label=f"{name}{_horizon(decay)}")
        if decay.horizon is not None:
            axis.plot(decay.horizon, decay.share[decay.horizon], "o", color=colour, markersize=4)
    axis.axhline(HORIZON_SHARE, color="tab:gray", linewidth=0.8, linestyle="--")
    axis.set_yscale("log")
    lowest = min(float(decay.share[decay.share > 0].min(initial=1.0)) for _, decay, _, _ in lines)
    axis.set_ylim(max(LOWEST_SHARE, 0.3 * lowest), 3.0)
    axis.set_xlim(0, reach.lags - 1)
    axis.set_xlabel(f"lag [steps of {period_s:.3g} s]")
    axis.set_ylabel("gradient over its peak")
    axis.grid(alpha=0.25)
    axis.legend(fontsize="small", frameon=False)
    axis.set_title(title, fontsize="medium")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110, metadata={"Software": None})
    write_atomically(path, buffer.getvalue())


def _horizon(decay: Decay) -> str:
    return ": further" if decay.horizon is None else f": {decay.horizon} steps"
