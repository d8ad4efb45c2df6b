"""Which format to ship, and why."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from ltc_edge.profiling.budgets import misses

Row = Mapping[str, Any]

NEARLY = 1.1
"""Formats this close in time are told apart by their error."""


def recommend(
    kind: str, rows: Mapping[str, Row], judged: Sequence[Mapping[str, Any]]
) -> dict[str, str] | None:
    """The format, and the reason in a sentence; None where none ran and keeps its budgets.

    The fewest missed periods come first, but for chance; then the least time at p99 (or instructions), and
    among formats that nearly equal the fastest the least error.

    Args:
        kind: of the target.
        rows: the formats of a profile.
        judged: its budgets.
    """
    over = {entry["format"] for entry in judged if not entry["kept"]}
    costs = {
        name: cost
        for name, row in rows.items()
        if row["status"] == "ok" and name not in over and (cost := _cost(kind, row)) is not None
    }
    if not costs:
        return None
    fewest = min(_misses(rows[name]) for name in costs)
    few = fewest + 2 * math.sqrt(max(fewest, 1))  # counts this close are of one rate, as far as can be told
    timely = {name: cost for name, cost in costs.items() if _misses(rows[name]) <= few}
    least = min(timely.values())
    near = [name for name, cost in timely.items() if cost <= NEARLY * least]
    best = min(near, key=lambda name: (_error(rows[name]), costs[name]))
    return {"format": best, "reason": _reason(kind, rows, costs, best, len(over))}


def _cost(kind: str, row: Row) -> float | None:
    if kind == "emulated":
        value = row.get("instructions_per_step")
    else:
        latency = row.get("latency_us") or {}
        # Where there were too few steps for a p99, the median tells.
        value = latency.get("p99") if latency.get("p99") is not None else latency.get("p50")
    return None if value is None else float(value)


def _misses(row: Row) -> int:
    return misses(row) or 0


def _error(row: Row) -> float:
    error = row.get("rms_over_sigma")
    return float("inf") if error is None else float(error)


def _reason(kind: str, rows: Mapping[str, Row], costs: Mapping[str, float], best: str, over: int) -> str:
    row = rows[best]
    cost = costs[best]
    # %g would write a number of many instructions as 3.4e+05.
    parts = [f"{cost:,.0f} {_measure(kind, row)}" if cost >= 1000 else f"{cost:.4g} {_measure(kind, row)}"]
    others = {form: cost for form, cost in costs.items() if form != best}
    if others:
        second = min(others, key=lambda form: others[form])
        # A clock coarser than a step gives 0, of which nothing is a multiple.
        ratio = others[second] / cost if cost > 0 else 1.0
        parts.append(_against(kind, second, rows[second], row, ratio))
    if row.get("rms_over_sigma") is not None:
        parts.append(f"an error of {100 * row['rms_over_sigma']:.2g} % of the action's deviation")
    if row.get("return_lost_percent") is not None:
        parts.append(f"{max(row['return_lost_percent'], 0):.2g} % of the return lost")
    if over:
        parts.append(f"{over} other{'s' if over > 1 else ''} over budget")
    return "; ".join(parts)


def _measure(kind: str, row: Row) -> str:
    """What `_cost` is, in words."""
    if kind == "emulated":
        return "instructions a step"
    return "µs at p50" if row["latency_us"].get("p99") is None else "µs at p99"


def _against(kind: str, second: str, its: Row, row: Row, ratio: float) -> str:
    """How a format compares with the fastest of the others, which takes ``ratio`` times as much."""
    if ratio > NEARLY:
        # Instructions are no time.
        return f"{ratio:.2g} times {'fewer' if kind == 'emulated' else 'faster'} than {second}"
    if _misses(its) > _misses(row):
        return f"fewer missed periods than {second} ({_misses(row)}, not {_misses(its)})"
    if _error(row) < _error(its):
        return f"about as fast as {second}, and closer to the float64 controller"
    return f"about as fast as {second}"
