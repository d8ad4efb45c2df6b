"""What state a device is in: frequency, temperature, throttling, power, load and clocks."""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .device_description import describe_device
from .power import power_between, read_power
from .probe import entries, integer, processors, read_integer, read_line, read_text
from .state_check import notes, problems
from .throttling import read_throttling

__all__ = ["describe_device", "notes", "power_between", "problems", "read_state"]

BUSY_SECONDS = 0.15
"""Longer than the governors of Linux take to raise the frequency of a busy processor."""
_SAMPLES = 5
_CPUS = "sys/devices/system/cpu"
_CLOCK_SOURCE = "sys/devices/system/clocksource/clocksource0/current_clocksource"


def read_state(
    root: Path = Path("/"), cpu: int | None = None, busy_s: float = BUSY_SECONDS
) -> dict[str, Any]:
    """The state of the device below ``root`` now; each value is None where it cannot be read.

    Args:
        root: where its files are.
        cpu: the processor that steps are pinned to; without one, the first that is online.
        busy_s: how long that processor is kept busy before its frequency is read. An idle one sleeps at a low
            frequency, which says nothing about the one that steps run at. 0 reads it as it is.

    Returns:
        ``cpu``, ``cores_online``, ``governor``, ``frequency_khz`` with ``allowed_khz`` (low, high) and
        ``hardware_max_khz``, ``temperatures`` (each ``zone``, ``type``, ``celsius``, ``trip_celsius``),
        ``throttling``, ``power``, ``load_1m``, ``running``, ``ticks`` (``total``, ``steal``),
        ``context_switches``, ``clocks`` (``monotonic_ns``, ``boottime_ns``, ``realtime_ns``, ``source``).
    """
    online = processors(read_line(root, f"{_CPUS}/online")) or []
    chosen = cpu if cpu is not None else (online[0] if online else 0)
    # The clocks come first: what takes time below would be between the end of a run and its last reading.
    state: dict[str, Any] = {"clocks": _clocks(root), "cpu": chosen, "cores_online": len(online) or None}
    state.update(_frequencies(root, chosen, busy_s))
    state["temperatures"] = _temperatures(root)
    state["throttling"] = read_throttling(root)
    state["power"] = read_power(root)
    state.update(_load(read_text(root, "proc/loadavg")))
    state.update(_activity(read_text(root, "proc/stat")))
    return state


def _clocks(root: Path) -> dict[str, Any]:
    """Three clocks, read at once: where they part, the device slept or a clock was set."""
    return {
        "monotonic_ns": time.clock_gettime_ns(time.CLOCK_MONOTONIC),
        "boottime_ns": time.clock_gettime_ns(time.CLOCK_BOOTTIME),
        "realtime_ns": time.clock_gettime_ns(time.CLOCK_REALTIME),
        "source": read_line(root, _CLOCK_SOURCE),
    }


def _frequencies(root: Path, cpu: int, busy_s: float) -> dict[str, Any]:
    folder = f"{_CPUS}/cpu{cpu}/cpufreq"
    low, high = (read_integer(root, f"{folder}/scaling_{end}_freq") for end in ("min", "max"))
    return {
        "governor": read_line(root, f"{folder}/scaling_governor"),
        "frequency_khz": _busy_frequency(root, folder, cpu, busy_s),
        "allowed_khz": [low, high] if low is not None and high is not None else None,
        "hardware_max_khz": read_integer(root, f"{folder}/cpuinfo_max_freq"),
    }


def _busy_frequency(root: Path, folder: str, cpu: int, busy_s: float) -> int | None:
    """The middle one of five readings while ``cpu`` works; drivers that average give some that are off."""
    if _frequency(root, folder) is None:
        return None
    readings: list[int] = []
    with _running_on(cpu):
        _work(busy_s)
        for _ in range(_SAMPLES):
            _work(busy_s / 10.0)
            khz = _frequency(root, folder)
            if khz is not None:
                readings.append(khz)
    return sorted(readings)[len(readings) // 2] if readings else None


def _frequency(root: Path, folder: str) -> int | None:
    """What the hardware says, which only root may read; else what the kernel asked for."""
    khz = read_integer(root, f"{folder}/cpuinfo_cur_freq")
    if khz is None:
        khz = read_integer(root, f"{folder}/scaling_cur_freq")
    return khz if khz else None  # a driver that does not know says 0


@contextmanager
def _running_on(cpu: int) -> Iterator[None]:
    """The calling thread runs on ``cpu`` meanwhile, where it may."""
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {cpu})
    except (OSError, ValueError, OverflowError):
        yield
        return
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _work(seconds: float) -> None:
    """Keep this processor busy for so long."""
    end, block = time.monotonic() + seconds, bytes(4096)
    while time.monotonic() < end:
        hashlib.sha256(block).digest()


def _temperatures(root: Path) -> list[dict[str, Any]] | None:
    found = []
    for zone in entries(root, "sys/class/thermal", "thermal_zone[0-9]+"):
        millidegrees = read_integer(root, f"{zone}/temp")
        if millidegrees is not None and -100_000 < millidegrees < 300_000:
            found.append(
                {
                    "zone": zone.rpartition("/")[2],
                    "type": read_line(root, f"{zone}/type"),
                    "celsius": millidegrees / 1000.0,
                    "trip_celsius": _trip(root, zone),
                }
            )
    return found or None


def _trip(root: Path, zone: str) -> float | None:
    """Where the kernel begins to slow down to cool; where nothing is passive, what it does next."""
    points: dict[str, list[int]] = {"passive": [], "hot": [], "critical": []}
    for path in entries(root, zone, "trip_point_[0-9]+_type"):
        kind, value = read_line(root, path), read_integer(root, path.replace("_type", "_temp"))
        # Zero or less is how a trip point that is switched off is written.
        if kind in points and value is not None and value > 0:
            points[kind].append(value)
    for values in points.values():
        if values:
            return min(values) / 1000.0
    return None


def _load(loadavg: str | None) -> dict[str, Any]:
    match = re.match(r"([0-9]{1,9}\.[0-9]{2}) \S+ \S+ ([0-9]{1,9})/", loadavg or "")
    return {
        "load_1m": float(match[1]) if match else None,
        "running": int(match[2]) if match else None,
    }


def _activity(stat: str | None) -> dict[str, Any]:
    """Ticks of all processors, how many of them a hypervisor took, and how often the kernel switched."""
    line = re.search(r"^cpu +([0-9 ]+)$", stat or "", re.MULTILINE)
    values = [integer(part) for part in line[1].split()] if line else []
    # user nice system idle iowait irq softirq steal; guest time, which follows, is in user already.
    ticks = [value for value in values[:8] if value is not None]
    switches = re.search(r"^ctxt ([0-9]{1,19})$", stat or "", re.MULTILINE)
    return {
        "ticks": {"total": sum(ticks), "steal": ticks[7]} if len(ticks) == 8 else None,
        "context_switches": int(switches[1]) if switches else None,
    }
