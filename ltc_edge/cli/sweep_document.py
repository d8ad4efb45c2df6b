"""What ``ltc-edge sweep --json`` prints; docs/sweep.md names the keys."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ltc_edge.sweep.front_document import front_document
from ltc_edge.sweep.swept import Swept


def sweep_document(swept: Swept, folder: Path, seconds: float) -> dict[str, Any]:
    """The result in short: the counts, the front, the recommendation; all trials are in ``front.json``.

    Args:
        swept: the sweep.
        folder: of the sweep, as people name it.
        seconds: that the command took.
    """
    full = front_document(swept)
    trials = {trial["number"]: trial for trial in full["trials"]}
    return {
        "sweep": str(folder),
        "task": full["task"],
        "objectives": [goal["name"] for goal in full["objectives"]],
        "budget": full["budget"],
        **full["counts"],
        "front": [trials[number] for number in full["front"]],
        "pick": full["pick"],
        "why_none": full["why_none"],
        "seconds": round(seconds, 3),
    }
