"""What a profile says of its device and settings, as labelled texts: what was not read is left out."""

from __future__ import annotations

from collections.abc import Callable

from ltc_edge.report.fields import Fields
from ltc_edge.report.profile import Device
from ltc_edge.report.wording import bytes_text, number_text

Read = Callable[[Fields], str | None]


def _text(name: str) -> Read:
    return lambda fields: fields.text(name)


def _number(name: str, unit: str = "") -> Read:
    def read(fields: Fields) -> str | None:
        value = fields.number(name)
        return None if value is None else f"{number_text(value)} {unit}".rstrip()

    return read


def _bytes(name: str) -> Read:
    def read(fields: Fields) -> str | None:
        value = fields.count(name)
        return None if value is None else bytes_text(value)

    return read


def _flag(name: str) -> Read:
    def read(fields: Fields) -> str | None:
        value = fields.flag(name)
        return None if value is None else ("yes" if value else "no")

    return read


_FACTS: dict[str, Read] = {
    "Model": _text("model"),
    "SoC": _text("soc"),
    "Machine": _text("machine"),
    "Cores": _number("cores"),
    "Memory": _bytes("memory_bytes"),
    "Kernel": _text("kernel_release"),
    "Preemption": _text("preemption"),
    "System": _text("os"),
    "C library": _text("libc"),
    "Python": _text("python"),
    "Virtual machine": _flag("virtualised"),
    "Container": _flag("container"),
    "Mean power": _number("power_w", "W"),
    "Board": _text("board"),
    "Port": _text("port"),
    "Part": _text("part"),
    "Emulator": _text("emulator"),
    "Compiler": _text("compiler"),
    "Flags": _text("flags"),
}


def device_facts(fields: Fields) -> Device:
    """What the device is, and its state before and after.

    Raises:
        InputError: a field is not of its type.
    """
    before, after = fields.inside("before"), fields.inside("after")
    state = [(label, read(before), read(after)) for label, read in _STATE.items()]
    return Device(
        facts=_known(_FACTS, fields),
        state=tuple(row for row in state if row[1:] != (None, None)),
        notes=fields.texts("notes"),
    )


def _known(readers: dict[str, Read], fields: Fields) -> tuple[tuple[str, str], ...]:
    found = ((label, read(fields)) for label, read in readers.items())
    return tuple((label, text) for label, text in found if text)


def _frequency(fields: Fields) -> str | None:
    khz = fields.number("frequency_khz")
    return None if khz is None else f"{number_text(khz / 1000)} MHz"


def _hottest(fields: Fields) -> str | None:
    found = [zone.number("celsius") for zone in fields.items("temperatures")]
    known = [celsius for celsius in found if celsius is not None]
    return f"{max(known):.1f} °C" if known else None


def _throttling(fields: Fields) -> str | None:
    """The flags that are up now, or that none is; counters where there are no flags."""
    throttling = fields.inside("throttling")
    now = throttling.inside("now")
    if now.names():
        return ", ".join(name.replace("_", " ") for name in now.names() if now.flag(name)) or "none"
    if throttling.flag("under_voltage") is not None:
        return "under voltage" if throttling.flag("under_voltage") else "none"
    counters = ((name, throttling.count(name)) for name in ("core", "package"))
    return ", ".join(f"{name} {count:,}" for name, count in counters if count is not None) or None


_STATE: dict[str, Read] = {
    "Governor": _text("governor"),
    "Frequency, busy": _frequency,
    "Highest temperature": _hottest,
    "Throttling": _throttling,
    "Load, 1 min": _number("load_1m"),
}

_SETTINGS: dict[str, Read] = {
    "Single steps, at most": _number("iterations"),
    "Time for them, at most": _number("seconds", "s"),
    "Warm-up": _number("warmup", "steps"),
    "Rounds": _number("rounds"),
    "Rate": _number("rate_hz", "Hz"),
    "SCHED_FIFO": _number("fifo"),
    "Pinned to CPU": _number("cpu"),
}


def settings_facts(fields: Fields) -> tuple[tuple[str, str], ...]:
    """What was asked for.

    Raises:
        InputError: a field is not of its type.
    """
    return tuple(fact for fact in _known(_SETTINGS, fields) if fact != ("SCHED_FIFO", "0"))
