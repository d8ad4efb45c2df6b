"""Below what a trial is given up while it trains: what others that cost no more had reached by then.

A trial that does worse than most may still be on the Pareto front, since it costs less than they. So a trial
is compared with its peers alone: trials of the same cell with no more units × unfolds, which roughly is the
work of a step. One that does worse than most of its peers is beaten by them in both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

Curve = Sequence[tuple[int, float]]
"""(round of training, metric) of the validated rounds."""

PEERS = 5
"""Fewer say nothing."""


def thresholds(
    settings: Mapping[str, Any],
    trials: Sequence[tuple[Mapping[str, Any], Curve]],
    percentile: float,
    *,
    maximised: bool,
) -> dict[int, float]:
    """By round of training, what a trial of ``settings`` must have reached to be gone on with.

    That is the percentile, counted from the worst, of the best metrics that its peers had reached by that
    round, of which one that ended earlier keeps what it had.

    Args:
        settings: of the trial.
        trials: those that are complete: their settings, and the curves of their first seeds.
        percentile: from 0 to 100; 0 gives no thresholds.
        maximised: whether more of the metric is better.
    """
    peers = [curve for other, curve in trials if curve and _is_peer(other, settings)]
    if percentile == 0 or len(peers) < PEERS:
        return {}
    from_worst = percentile if maximised else 100 - percentile
    begun = max(curve[0][0] for curve in peers)
    rounds = sorted({index for curve in peers for index, _ in curve if index >= begun})
    return {
        index: float(np.percentile([_best(curve, index, maximised) for curve in peers], from_worst))
        for index in rounds
    }


def _is_peer(other: Mapping[str, Any], settings: Mapping[str, Any]) -> bool:
    return other.get("cell") == settings.get("cell") and _work(other) <= _work(settings)


def _work(settings: Mapping[str, Any]) -> float:
    return float(settings.get("units", 1)) * float(settings.get("unfolds", 1))


def _best(curve: Curve, until: int, maximised: bool) -> float:
    reached = [value for index, value in curve if index <= until]
    return max(reached) if maximised else min(reached)
