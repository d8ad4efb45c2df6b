"""``supervisor.toml``: what a user wants otherwise than it follows from the controller.

gap_s = 0.5
handover_s = 0.1
misses_allowed = 2
recover_steps = 25
latching = ["controller-fault"]

[age]                       # by reading, seconds; "default" for all that are not named
default = 0.1
theta = 0.05

[limits]                    # by action, within those of the controller
torque = [-1.0, 1.0]

[slew]                      # by action, a second
torque = 20.0

[resting]
torque = 0.0

[fallback]
law = "pd"                  # or "hold", "rest"
hold_s = 0.1
gain.torque = { theta = -20.0, omega = -3.0 }
target = { theta = 0.0 }    # 0 where none is named
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ltc_edge.errors import InputError
from ltc_edge.supervision.codes import LATCHING, Fallback
from ltc_edge.supervision.settings import LARGEST, Settings, single
from ltc_edge.targets.description import read_table

_TIMES = ("gap_s", "handover_s")
_COUNTS = ("misses_allowed", "recover_steps")
_TABLES = ("age", "limits", "slew", "resting", "fallback")
_FALLBACK = ("law", "hold_s", "gain", "target")
_ALL = "default"


def read_settings(path: Path, defaults: Settings) -> Settings:
    """The settings that a file asks for.

    Args:
        path: a file in TOML.
        defaults: of the controller; what the file does not name stays.

    Raises:
        InputError: the file cannot be read; it names what there is not; or a value is no number, is not
            finite, or would let through what the controller's own limits do not.
    """
    return settings_from_table(read_table(path), defaults, str(path))


def settings_from_table(table: Mapping[str, Any], defaults: Settings, where: str) -> Settings:
    """The same of a table that is read already; ``where`` is how messages call it."""
    _known(where, "", table, (*_TIMES, *_COUNTS, "latching", *_TABLES))
    tables = {name: _table(where, name, table.get(name, {})) for name in _TABLES}
    changed: dict[str, Any] = {name: _number(where, name, table[name]) for name in _TIMES if name in table}
    changed |= {name: _count(where, name, table[name]) for name in _COUNTS if name in table}
    if "latching" in table:
        changed["latching"] = _latching(where, table["latching"])
    changed["oldest_s"] = _ages(where, tables["age"], defaults)
    changed |= _limits(where, tables["limits"], defaults)
    for name in ("slew", "resting"):
        found = _numbers(where, name, tables[name], defaults.actions)
        changed[name] = _filled(found, defaults.actions, getattr(defaults, name))
    for name, slew, most in zip(defaults.actions, changed["slew"], defaults.slew, strict=True):
        if slew > most:
            raise InputError(
                f"{where}: slew.{name} is {slew:g}, above the actuator's {most:g}; export the controller "
                "with another slew"
            )
    changed |= _fallback(where, tables["fallback"], defaults)
    try:
        return dataclasses.replace(defaults, **changed)
    except InputError as error:
        raise InputError(f"{where}: {error}") from None


def _ages(where: str, table: Mapping[str, Any], defaults: Settings) -> tuple[float, ...]:
    found = _numbers(where, "age", table, (*defaults.observations, _ALL))
    common = found.get(_ALL) if _ALL not in defaults.observations else None
    return _filled(
        found,
        defaults.observations,
        [oldest if common is None else common for oldest in defaults.oldest_s],
    )


def _limits(where: str, table: Mapping[str, Any], defaults: Settings) -> dict[str, tuple[float, ...]]:
    _known(where, "limits", table, defaults.actions)
    low, high = list(defaults.low), list(defaults.high)
    for index, name in enumerate(defaults.actions):
        if name not in table:
            continue
        pair = table[name]
        if not isinstance(pair, list) or len(pair) != 2:
            raise InputError(f"{where}: limits.{name} must be [low, high], not {pair!r}")
        least, most = (_number(where, f"limits.{name}", value) for value in pair)
        if not low[index] <= least < most <= high[index]:
            raise InputError(
                f"{where}: limits.{name} must rise and lie within the actuator's, {low[index]:g} to "
                f"{high[index]:g}, not {least:g} to {most:g}"
            )
        low[index], high[index] = least, most
    return {"low": tuple(low), "high": tuple(high)}


def _fallback(where: str, table: Mapping[str, Any], defaults: Settings) -> dict[str, Any]:
    _known(where, "fallback", table, _FALLBACK)
    changed: dict[str, Any] = {}
    if "hold_s" in table:
        changed["hold_s"] = _number(where, "fallback.hold_s", table["hold_s"])
    laws = [law.name.lower() for law in Fallback]
    law = table.get("law", defaults.fallback.name.lower())
    if law not in laws:
        raise InputError(f"{where}: fallback.law must be one of {', '.join(laws)}, not {law!r}")
    changed["fallback"] = Fallback[law.upper()]
    if law != "pd":
        for name in ("gain", "target"):
            if name in table:
                raise InputError(f'{where}: fallback.{name} is of the PD law; add law = "pd", or remove it')
        return changed | {"pd_gain": (), "pd_target": ()}
    gains = _table(where, "fallback.gain", table.get("gain", {}))
    _known(where, "fallback.gain", gains, defaults.actions)
    if not gains:
        raise InputError(f"{where}: fallback.gain: the PD law needs gains, by action and reading")
    nought = [0.0] * len(defaults.observations)

    def values(name: str, table: Mapping[str, Any]) -> tuple[float, ...]:
        return _filled(_numbers(where, name, table, defaults.observations), defaults.observations, nought)

    changed["pd_gain"] = tuple(
        values(f"fallback.gain.{name}", _table(where, f"fallback.gain.{name}", gains.get(name, {})))
        for name in defaults.actions
    )
    target = _table(where, "fallback.target", table.get("target", {}))
    return changed | {"pd_target": values("fallback.target", target)}


def _latching(where: str, names: Any) -> int:
    if not isinstance(names, list):
        raise InputError(f"{where}: latching must be a list of names, not {names!r}")
    bits = 0
    for name in names:
        if not isinstance(name, str) or name not in LATCHING:
            raise InputError(f"{where}: latching: {name!r} is none of {', '.join(LATCHING)}")
        bits |= LATCHING[name]
    return bits


def _known(where: str, what: str, table: Mapping[str, Any], names: Sequence[str]) -> None:
    for name in table:
        if name not in names:
            full = f"{what}.{name}" if what else name
            raise InputError(f"{where}: {full} is unknown; known are {', '.join(names)}")


def _table(where: str, name: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise InputError(f"{where}: {name} must be a table, not {value!r}")
    return value


def _numbers(where: str, what: str, table: Mapping[str, Any], names: Sequence[str]) -> dict[str, float]:
    _known(where, what, table, names)
    return {name: _number(where, f"{what}.{name}", value) for name, value in table.items()}


def _filled(found: Mapping[str, float], names: Sequence[str], defaults: Sequence[float]) -> tuple[float, ...]:
    return tuple(found.get(name, default) for name, default in zip(names, defaults, strict=True))


def _number(where: str, name: str, value: Any) -> float:
    """A finite number, as float32 holds it."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError(f"{where}: {name} must be a number, not {value!r}")
    # Compared as it is: an int may be beyond any float, and NaN is beyond nothing.
    if not -LARGEST <= value <= LARGEST or not math.isfinite(value):
        raise InputError(f"{where}: {name} must be a finite number, not {value!r}"[:300])
    return single(value)


def _count(where: str, name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise InputError(f"{where}: {name} must be a whole number, not {value!r}")
    return value
