"""Whether the figures of a run can be trusted, from the states of the device before and after it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .lookup import field, number, text

FREQUENCY_MOVED = 0.02
CLOCK_JUMP_S = 0.5
STEAL_SHARE = 0.01
NEAR_TRIP_K = 5.0
STEADY_GOVERNORS = ("performance", "userspace")

State = Mapping[str, Any]

_SLOWED = {
    "under_voltage": "the supply voltage was too low",
    "frequency_capped": "the firmware capped the frequency",
    "throttled": "the firmware throttled the processor",
    "soft_temperature_limit": "the soft temperature limit was reached",
}


def problems(before: State, after: State) -> list[str]:
    """Why the figures of a run between two states, as ``read_state`` gives them, cannot be trusted."""
    return [*_throttled(before, after), *_moved(before, after), *_jumped(before, after)]


def notes(before: State, after: State) -> list[str]:
    """What was not checked, because it cannot be read here, and what may have made the figures worse."""
    return [*_unchecked(before, after), *_warnings(before, after)]


def _throttled(before: State, after: State) -> list[str]:
    found = []
    for flag, what in _SLOWED.items():
        if any(_flag(state, "now", flag) for state in (before, after)):
            found.append(f"{what} while it was measured (vcgencmd get_throttled)")
        elif _flag(after, "since_boot", flag) and _flag(before, "since_boot", flag) is False:
            found.append(f"{what} between the start and the end (vcgencmd get_throttled)")
    for state, when in ((before, "before"), (after, "after")):
        if field(state, "throttling", "under_voltage") is True:
            found.append(f"the kernel reported a low supply voltage {when} the run (rpi_volt)")
    for scope in ("core", "package"):
        first, last = (number(field(state, "throttling", scope)) for state in (before, after))
        if first is not None and last is not None and last > first:
            found.append(f"heat throttled the processor {last - first:.0f} times ({scope}_throttle_count)")
    return found


def _flag(state: State, when: str, flag: str) -> bool | None:
    value = field(state, "throttling", when, flag)
    return value if isinstance(value, bool) else None


def _moved(before: State, after: State) -> list[str]:
    found = []
    first, last = (number(state.get("frequency_khz")) for state in (before, after))
    if first and last and abs(last - first) > FREQUENCY_MOVED * first:
        found.append(
            f"the frequency moved from {first / 1e3:.0f} to {last / 1e3:.0f} MHz "
            f"({last / first - 1.0:+.1%}); hold it with the governor performance"
        )
    caps = [number(_allowed_high(state)) for state in (before, after)]
    if caps[0] is not None and caps[1] is not None and caps[0] != caps[1]:
        found.append(
            f"the highest frequency allowed moved from {caps[0] / 1e3:.0f} to {caps[1] / 1e3:.0f} MHz"
        )
    for key, name in (("governor", "the governor"), ("cpu", "the processor")):
        if before.get(key) is not None and after.get(key) is not None and before[key] != after[key]:
            found.append(f"{name} changed from {_shown(before[key])} to {_shown(after[key])}")
    return found


def _allowed_high(state: State) -> Any:
    allowed = state.get("allowed_khz")
    return allowed[1] if isinstance(allowed, (list, tuple)) and len(allowed) == 2 else None


def _jumped(before: State, after: State) -> list[str]:
    passed = {name: _passed(before, after, f"{name}_ns") for name in ("monotonic", "boottime", "realtime")}
    monotonic, boottime, realtime = passed["monotonic"], passed["boottime"], passed["realtime"]
    found = []
    if monotonic is not None and monotonic < 0.0:
        return ["the device was restarted between the start and the end"]
    if monotonic is not None and boottime is not None and boottime - monotonic > CLOCK_JUMP_S:
        found.append(f"the device was suspended for {boottime - monotonic:.1f} s")
    # A machine that slept finds its calendar moved on by as much; only what is beyond that is a jump.
    awake = boottime if boottime is not None else monotonic
    if awake is not None and realtime is not None and abs(realtime - awake) > CLOCK_JUMP_S:
        found.append(f"the clock was set by {realtime - awake:+.1f} s")
    first, last = (text(field(state, "clocks", "source")) for state in (before, after))
    if first and last and first != last:
        found.append(
            f"the kernel changed its clock source from {first} to {last}: it found the first unstable"
        )
    return found


def _passed(before: State, after: State, name: str) -> float | None:
    first, last = (number(field(state, "clocks", name)) for state in (before, after))
    return None if first is None or last is None else (last - first) / 1e9


def _unchecked(before: State, after: State) -> list[str]:
    what = {
        "frequency_khz": "the frequency",
        "governor": "the governor",
        "throttling": "throttling",
        "temperatures": "the temperature",
    }
    missing = [name for key, name in what.items() if before.get(key) is None or after.get(key) is None]
    return [f"not checked, since not readable here: {', '.join(missing)}"] if missing else []


def _warnings(before: State, after: State) -> list[str]:
    return [
        *_frequency_warnings(before, after),
        *_throttled_earlier(before, after),
        *_heat_warnings(after),
        *_load_warnings(before, after),
    ]


def _frequency_warnings(before: State, after: State) -> list[str]:
    found = []
    governor = text(before.get("governor"))
    if governor and governor not in STEADY_GOVERNORS:
        found.append(
            f"the governor is {governor}, which lets the frequency fall while a controller waits; "
            "the governor performance does not"
        )
    limit, most = number(_allowed_high(after)), number(after.get("hardware_max_khz"))
    if limit and most and limit < (1.0 - FREQUENCY_MOVED) * most:
        found.append(
            f"the frequency is held at or below {limit / 1e3:.0f} MHz; the processor has {most / 1e3:.0f}"
        )
    return found


def _throttled_earlier(before: State, after: State) -> list[str]:
    """Flags that stay set until a restart hide whether it happened again."""
    return [
        f"{what} earlier, since the device started; whether it did again cannot be told until it is restarted"
        for flag, what in _SLOWED.items()
        if _flag(before, "since_boot", flag)
        and not any(_flag(state, "now", flag) for state in (before, after))
    ]


def _heat_warnings(after: State) -> list[str]:
    zones = after.get("temperatures")
    found = []
    for zone in zones if isinstance(zones, (list, tuple)) else ():
        celsius, trip = (number(field(zone, key)) for key in ("celsius", "trip_celsius"))
        if celsius is not None and trip is not None and celsius > trip - NEAR_TRIP_K:
            name = text(field(zone, "type")) or text(field(zone, "zone")) or "a sensor"
            found.append(
                f"{name} is at {celsius:.1f} °C, and the kernel cools by slowing down from {trip:.1f} °C"
            )
    return found


def _load_warnings(before: State, after: State) -> list[str]:
    found = []
    load, cores = number(before.get("load_1m")), number(before.get("cores_online"))
    if load is not None and cores and load > cores / 2.0:
        found.append(f"the device was busy before the run: load average {load:.1f} on {cores:.0f} processors")
    total, steal = (
        [number(field(state, "ticks", key)) for state in (before, after)] for key in ("total", "steal")
    )
    if total[0] is not None and total[1] is not None and steal[0] is not None and steal[1] is not None:
        passed, stolen = total[1] - total[0], steal[1] - steal[0]
        if passed > 0.0 and stolen > STEAL_SHARE * passed:
            found.append(f"a hypervisor took {stolen / passed:.1%} of the processors' time")
    return found


def _shown(value: Any) -> str:
    return text(str(value)[:40]) or "something unreadable"
