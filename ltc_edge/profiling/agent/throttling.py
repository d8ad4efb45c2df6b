"""Whether something slows the processor down: heat, or a weak power supply."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from .probe import entries, read_integer, read_line, run_program

_BITS = {"under_voltage": 0, "frequency_capped": 1, "throttled": 2, "soft_temperature_limit": 3}
"""Of what ``vcgencmd get_throttled`` prints; 16 bits higher, whether it was so since the start.

https://www.raspberrypi.com/documentation/computers/os.html#get_throttled
"""


def read_throttling(root: Path) -> dict[str, Any] | None:
    """What says that a processor is or was slowed down; None where nothing does.

    Returns:
        ``source``; with ``vcgencmd`` the flags ``now`` and ``since_boot``, each by name; with
        ``thermal_throttle`` the counters ``core`` (sum over the processors) and ``package`` (the highest);
        with ``rpi_volt`` the flag ``under_voltage`` alone.
    """
    return decode_throttled(run_program("vcgencmd", "get_throttled")) or _counters(root) or _alarm(root)


def decode_throttled(printed: str | None) -> dict[str, Any] | None:
    """The flags in what ``vcgencmd get_throttled`` printed, as in ``throttled=0x50005``."""
    match = re.fullmatch(r"\s*throttled=0x([0-9a-fA-F]{1,8})\s*", printed or "")
    if match is None:
        return None
    word = int(match[1], 16)
    return {
        "source": "vcgencmd",
        "now": {name: bool(word >> bit & 1) for name, bit in _BITS.items()},
        "since_boot": {name: bool(word >> bit + 16 & 1) for name, bit in _BITS.items()},
    }


def _counters(root: Path) -> dict[str, Any] | None:
    """The counters of x86 processors."""
    counts: dict[str, list[int]] = {"core": [], "package": []}
    for processor in entries(root, "sys/devices/system/cpu", "cpu[0-9]+"):
        for name, values in counts.items():
            count = read_integer(root, f"{processor}/thermal_throttle/{name}_throttle_count")
            if count is not None:
                values.append(count)
    if not any(counts.values()):
        return None
    return {
        "source": "thermal_throttle",
        "core": sum(counts["core"]) if counts["core"] else None,
        "package": max(counts["package"], default=None),
    }


def _alarm(root: Path) -> dict[str, Any] | None:
    """The kernel's own alarm of a Raspberry Pi's supply, for who may not use vcgencmd."""
    for sensor in entries(root, "sys/class/hwmon", "hwmon[0-9]+"):
        if read_line(root, f"{sensor}/name") == "rpi_volt":
            alarm = read_integer(root, f"{sensor}/in0_lcrit_alarm")
            if alarm is not None:
                return {"source": "rpi_volt", "under_voltage": alarm != 0}
    return None
