"""What the device draws, where a sensor of it can be read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .lookup import field, number
from .probe import entries, read_integer, read_line, run_program

_RAIL = re.compile(r"\s*(\w{1,40})_([AV])\s+(?:current|volt)\([0-9]+\)=([0-9]{1,6}(?:\.[0-9]{1,12})?)[AV]\s*")


def read_power(root: Path) -> dict[str, Any] | None:
    """What the first sensor that can be read says; None where there is none.

    Returns:
        ``source`` and what it gives: of ``pmic`` (Raspberry Pi 5) ``watts``, the sum over its rails, which
        leaves out what hangs on 5 V itself; of ``hwmon`` ``watts`` and the ``sensor``; of ``rapl`` by
        package the energy counter ``energy_uj`` and ``range_uj``, where it starts anew.
    """
    return decode_pmic(run_program("vcgencmd", "pmic_read_adc")) or _hwmon(root) or _rapl(root)


def power_between(before: Mapping[str, Any], after: Mapping[str, Any]) -> float | None:
    """Mean watts between two states of a device, as ``read_state`` gives them.

    From energy counters it is the true mean, if the counter went round once at most; from other sensors the
    mean of the two readings.
    """
    first, last = before.get("power"), after.get("power")
    if not isinstance(first, Mapping) or not isinstance(last, Mapping):
        return None
    if first.get("source") != last.get("source"):
        return None
    if first.get("source") == "rapl":
        return _watts_of_counters(before, after)
    ends = (number(first.get("watts")), number(last.get("watts")))
    if ends[0] is None or ends[1] is None or first.get("sensor") != last.get("sensor"):
        return None
    return (ends[0] + ends[1]) / 2.0


def decode_pmic(printed: str | None) -> dict[str, Any] | None:
    """The sum over the rails of ``vcgencmd pmic_read_adc``; volts and amperes are paired by name."""
    read: dict[str, dict[str, float]] = {"A": {}, "V": {}}
    for line in (printed or "").splitlines():
        match = _RAIL.fullmatch(line)
        if match:
            read[match[2]][match[1]] = float(match[3])
    rails = sorted(read["A"].keys() & read["V"].keys())
    if not rails:
        return None
    return {"source": "pmic", "watts": sum(read["A"][rail] * read["V"][rail] for rail in rails)}


def _hwmon(root: Path) -> dict[str, Any] | None:
    """The INA sensor that reads most: where there are several, one may be behind another."""
    found: list[tuple[float, str]] = []
    for folder in entries(root, "sys/class/hwmon", "hwmon[0-9]+"):
        name = read_line(root, f"{folder}/name")
        if name is None or not name.startswith("ina"):
            continue
        for channel in range(1, 4):
            watts = _channel_watts(root, folder, channel)
            if watts is not None:
                label = read_line(root, f"{folder}/in{channel}_label")
                found.append((watts, f"{name} {label}" if label else name))
    if not found:
        return None
    watts, sensor = max(found)
    return {"source": "hwmon", "watts": watts, "sensor": sensor}


def _channel_watts(root: Path, folder: str, channel: int) -> float | None:
    """Microwatts, or milliamperes times millivolts, whichever the sensor gives."""
    power = read_integer(root, f"{folder}/power{channel}_input")
    if power is not None:
        return power / 1e6
    current = read_integer(root, f"{folder}/curr{channel}_input")
    voltage = read_integer(root, f"{folder}/in{channel}_input")
    return current * voltage / 1e6 if current is not None and voltage is not None else None


def _rapl(root: Path) -> dict[str, Any] | None:
    """Energy counters of the packages; zones inside one, or the whole platform, would count twice."""
    packages = {}
    for zone in entries(root, "sys/class/powercap", "intel-rapl:[0-9]+"):
        name = read_line(root, f"{zone}/name")
        energy = read_integer(root, f"{zone}/energy_uj")
        if name is not None and name.startswith("package") and energy is not None:
            limit = read_integer(root, f"{zone}/max_energy_range_uj")
            packages[name] = {"energy_uj": energy, "range_uj": limit}
    return {"source": "rapl", "packages": packages} if packages else None


def _watts_of_counters(before: Mapping[str, Any], after: Mapping[str, Any]) -> float | None:
    times = [number(field(state, "clocks", "monotonic_ns")) for state in (before, after)]
    if times[0] is None or times[1] is None or times[1] <= times[0]:
        return None
    first, last = field(before, "power", "packages"), field(after, "power", "packages")
    if (
        not isinstance(first, Mapping)
        or not isinstance(last, Mapping)
        or not first
        or set(first) != set(last)
    ):
        return None
    used = 0.0
    for name in first:
        start, end = number(field(first, name, "energy_uj")), number(field(last, name, "energy_uj"))
        if start is None or end is None:
            return None
        if end < start:
            limit = number(field(first, name, "range_uj"))
            if limit is None or limit < start:
                return None
            end += limit
        used += end - start
    return used * 1e3 / (times[1] - times[0])
