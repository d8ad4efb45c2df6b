"""Whole profiles one after the other: by how much their figures differ.

Of each figure the largest difference between two consecutive runs counts. On a machine that is not idle, what
else runs moves them; the ratios to the yardsticks, two fixed pieces of work that are timed beside the steps,
tell how much of it that was.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from ltc_edge.profiling.places import Local
from ltc_edge.profiling.profile import profile
from ltc_edge.profiling.request import Request
from ltc_edge.profiling.settings import Settings
from profile_bench.subject import Bundle, machine_state

FORMATS = ("c-float32", "c-int16", "onnx", "tflite")


def measure(bundle: Bundle, runs: int) -> dict[str, Any]:
    """Differences between consecutive runs, in percent, by format and figure."""
    request = Request("local", Local(), Settings())
    taken: dict[str, dict[str, list[float]]] = {}
    states, seconds = [], []
    for _ in range(runs):
        states.append(machine_state())
        start = time.perf_counter()
        document = profile(bundle.subject, request, lambda *_: None)
        seconds.append(time.perf_counter() - start)
        for name, row in document["formats"].items():
            for what, value in _figures(row).items():
                taken.setdefault(name, {}).setdefault(what, []).append(value)
    return {
        "seconds": seconds,
        "machine": states,
        "formats": {
            name: {
                what: {"largest_difference_percent": largest_difference(values), "values": values}
                for what, values in figures.items()
            }
            for name, figures in taken.items()
        },
    }


def _figures(row: dict[str, Any]) -> dict[str, float]:
    yardsticks = np.median(row["yardsticks_us"], axis=0)
    by_round = np.asarray(row["rounds_us"])[:, None] / np.asarray(row["yardsticks_us"])
    return {
        "p50_us": row["latency_us"]["p50"],
        "step_us": row["step_us"],
        "first_yardstick_us": float(yardsticks[0]),
        "second_yardstick_us": float(yardsticks[1]),
        "step_over_first": float(np.median(by_round[:, 0])),
        "step_over_second": float(np.median(by_round[:, 1])),
    }


def largest_difference(values: Sequence[float]) -> float:
    """Between two consecutive ones, in percent of the smaller."""
    return max((100 * (max(pair) / min(pair) - 1) for pair in itertools.pairwise(values)), default=0.0)
