"""Joules of a pass, by the counters that profiles read."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from ltc_edge.profiling.agent.power import power_between, read_power
from training_bench.timing import Pass

BLOCK_S = 1.0
NO_SENSOR = "no energy counter (RAPL), INA sensor or Raspberry Pi PMIC can be read on this machine"


def joules(one: Pass, block_s: float = BLOCK_S) -> dict[str, Any]:
    """Mean ``joules`` of a pass over a block of them, everything that the sensor covers included.

    Args:
        one: the pass.
        block_s: how long passes are repeated at least.

    Returns:
        ``joules``, null where nothing can be read, and the ``source`` or the ``reason``.
    """
    before = _reading()
    if before["power"] is None:
        return {"joules": None, "reason": NO_SENSOR}
    start, passes = time.perf_counter(), 0
    while time.perf_counter() - start < block_s:
        one()
        passes += 1
    seconds = time.perf_counter() - start
    watts = power_between(before, _reading())
    if watts is None:
        return {"joules": None, "reason": "the sensor's readings cannot be compared: a counter started anew"}
    return {"joules": watts * seconds / passes, "source": before["power"]["source"]}


def _reading() -> dict[str, Any]:
    return {
        "clocks": {"monotonic_ns": time.clock_gettime_ns(time.CLOCK_MONOTONIC)},
        "power": read_power(Path("/")),
    }
