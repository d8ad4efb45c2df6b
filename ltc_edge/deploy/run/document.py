"""What a loop is doing, and did, as a JSON object; docs/run.md has its keys."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ltc_edge.deploy.run.page import Snapshot, Times
from ltc_edge.runtimes.machine import Float32
from ltc_edge.supervision.codes import status_names

SHARES = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p999": 0.999}


def run_document(snapshot: Snapshot, observations: Sequence[str], actions: Sequence[str]) -> dict[str, Any]:
    """The document; what was not measured is null."""
    bits = ((status_names(1 << index), count) for index, count in enumerate(snapshot.with_bit))
    return {
        "io": snapshot.where,
        "end": snapshot.end,
        "mode": snapshot.mode,
        "status": list(status_names(snapshot.status)),
        "periods": snapshot.counts["periods"],
        "steps": snapshot.counts["steps"],
        "missed_deadlines": snapshot.counts["missed"],
        "longest_run_missed": snapshot.counts["longest_run"],
        "periods_left_out": snapshot.counts["left_out"],
        "log_dropped": snapshot.counts["log_dropped"],
        "messages": snapshot.io,
        "modes": snapshot.modes,
        "status_steps": {names[0]: count for names, count in bits if names and count},
        "observation": _values(observations, snapshot.observation),
        "observation_age_s": _values(observations, snapshot.age_s),
        "action": _values(actions, snapshot.action),
        "proposal": _values(actions, snapshot.proposal),
        "wake_up_latency_us": times_document(snapshot.latency),
        "execution_us": times_document(snapshot.execution),
        "added_us": times_document(snapshot.added),
    }


def times_document(times: Times) -> dict[str, float | None] | None:
    """Percentiles and the largest in µs; None where nothing was measured."""
    if times.count == 0:
        return None
    found = {name: _rounded(times.percentile_us(share)) for name, share in SHARES.items()}
    return {**found, "max": _rounded(times.largest * 1e-3)}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _values(names: Sequence[str], values: Float32) -> dict[str, float | None]:
    """By name; what is not finite has no number in JSON."""
    found = {name: float(value) for name, value in zip(names, values, strict=True)}
    return {name: value if math.isfinite(value) else None for name, value in found.items()}
