"""Which number of the flight software is which signal: by their usual names, or as ``signals.toml`` says.

[observations]
roll_rate = "vehicle_angular_velocity.xyz[0]"
pitch = { from = "state.attitude.pitch", scale = -0.0174532925 }

[actions]
roll_torque = "vehicle_torque_setpoint.xyz[0]"
thrust = { to = "vehicle_thrust_setpoint.xyz[2]", scale = -1.0 }
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ltc_edge.controller import Controller
from ltc_edge.deploy.px4.fields import Fields, Place
from ltc_edge.errors import InputError
from ltc_edge.signals import ActionSignal, ObservationSignal
from ltc_edge.targets.description import read_table

KEYS = {"observations": "from", "actions": "to"}


@dataclass(frozen=True)
class Connection:
    """A signal and its number in the flight software.

    Attributes:
        signal: its name.
        unit: its unit.
        place: the number.
        scale: the reading is the number times this, and the number is the action times this; a float32.
    """

    signal: str
    unit: str
    place: Place
    scale: float


@dataclass(frozen=True)
class Connections:
    """Where every signal of a controller comes from and goes to, in its order."""

    observations: tuple[Connection, ...]
    actions: tuple[Connection, ...]


def connect(controller: Controller, inputs: Fields, outputs: Fields, path: Path | None) -> Connections:
    """Connect the signals of a controller.

    Args:
        controller: the controller.
        inputs, outputs: the numbers of the flight software.
        path: a file in TOML that says where signals come from and go to; what it does not name goes by
            its usual name.

    Raises:
        InputError: the file cannot be read or names what there is not, a signal has no number, or two
            actions have the same.
    """
    table: Mapping[str, Any] = {} if path is None else read_table(path)
    where = "--signals" if path is None else str(path)
    odd = [name for name in table if name not in KEYS]
    if odd:
        raise InputError(f"{where}: {odd[0][:60]!r} is unknown; known are {', '.join(KEYS)}")
    found = Connections(
        _connections(controller.observations, inputs, table, "observations", where),
        _connections(controller.actions, outputs, table, "actions", where),
    )
    driven: dict[Place, str] = {}
    for each in found.actions:
        if each.place in driven:
            raise InputError(f"{where}: {driven[each.place]} and {each.signal} both drive {each.place}")
        driven[each.place] = each.signal
    return found


def _connections(
    signals: Sequence[ObservationSignal] | Sequence[ActionSignal],
    fields: Fields,
    table: Mapping[str, Any],
    what: str,
    where: str,
) -> tuple[Connection, ...]:
    said = table.get(what, {})
    if not isinstance(said, dict):
        raise InputError(f"{where}: {what} must be a table")
    names = [signal.name for signal in signals]
    for name in said:
        if name not in names:
            raise InputError(f"{where}: {what}: there is no {name[:60]!r}; there are {', '.join(names)}")
    found = []
    for signal in signals:
        if signal.name in said:
            place, scale = _said(said[signal.name], fields, KEYS[what], f"{where}: {what}.{signal.name}")
        else:
            place, scale = _usual(signal, fields, KEYS[what], what), 1.0
        found.append(Connection(signal.name, signal.unit, place, scale))
    return tuple(found)


def _usual(signal: ObservationSignal | ActionSignal, fields: Fields, key: str, what: str) -> Place:
    """What goes by the signal's name."""
    usual = fields.usual.get(signal.name)
    if usual is None or signal.unit not in ("", usual.unit):
        group, numbers = next(iter(fields.groups.items()))
        name, count = next(iter(numbers.items()))
        example = f"{group}.{name}{'[0]' if count else ''}"
        why = "its name does not say" if usual is None else f"{usual.path} is not in {signal.unit}"
        verb = "comes from" if key == "from" else "goes to"
        raise InputError(
            f"{what}: where {signal.name} {verb} must be said, {why}; write a file with "
            f'[{what}] {signal.name} = "{example}" and name it with --signals'
        )
    return fields.place(usual.path, signal.name)


def _said(value: Any, fields: Fields, key: str, where: str) -> tuple[Place, float]:
    """What the file says of one signal: a path, or a table of a path and a scale."""
    if isinstance(value, str):
        return fields.place(value, where), 1.0
    if not isinstance(value, dict) or not isinstance(value.get(key), str) or value.keys() - {key, "scale"}:
        raise InputError(f'{where} must be a text, or {{ {key} = "…", scale = 1.0 }}')
    scale = value.get("scale", 1.0)
    if isinstance(scale, bool) or not isinstance(scale, int | float) or not math.isfinite(scale):
        raise InputError(f"{where}.scale must be a finite number")
    narrow = float(np.float32(min(max(scale, -3e38), 3e38)))
    if narrow == 0.0:
        raise InputError(f"{where}.scale must not be zero")
    return fields.place(value[key], where), narrow
