"""What is asked of each device of a fleet, from its file and the command line."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ltc_edge.errors import InputError
from ltc_edge.profiling.budgets import BUDGETS, is_measured
from ltc_edge.profiling.places import SSH, Emulated, Local, Place, Remote, find_place
from ltc_edge.profiling.request import Request
from ltc_edge.profiling.settings import Settings
from ltc_edge.targets.fleet import FleetTable

LEAST_RATE_HZ, MOST_RATE_HZ = 0.1, 100_000.0
_RANGES: Mapping[str, tuple[float, float]] = {
    "cpu": (0, 4095),
    "fifo": (1, 99),
    "rate_hz": (LEAST_RATE_HZ, MOST_RATE_HZ),
}
THIS_MACHINE = "local"


@dataclass(frozen=True)
class FleetDevice:
    """A device of a fleet.

    Attributes:
        label: what it is called.
        request: what is asked of it.
        lane: what it shares with others, such as a machine: of one lane, one device is measured at a time.
    """

    label: str
    request: Request
    lane: str


def fleet_devices(table: FleetTable, common: Request) -> list[FleetDevice]:
    """The devices of a fleet, in the order of its file.

    Args:
        table: the fleet.
        common: what the command line asks for; what a device says itself comes first. Its target is of no
            account, and of its budgets each device has those that are measured on its kind of target.

    Raises:
        InputError: an address or a figure of a device means nothing, or a budget is measured on none of them.
    """
    devices = [_device(table, label, said, common) for label, said in table.devices.items()]
    for name in common.limits:
        if not any(name in device.request.limits for device in devices):
            raise InputError(
                f"{table.path}: --{name} is measured on none of its devices: that takes {BUDGETS[name].where}"
            )
    return devices


def _device(table: FleetTable, label: str, said: Mapping[str, Any], common: Request) -> FleetDevice:
    where = f"{table.path}: [devices.{label}]"
    for key, (low, high) in _RANGES.items():
        if key in said and not low <= said[key] <= high:
            raise InputError(f"{where}: {key} must be from {low:g} to {high:g}, not {said[key]!r:.40}")
    target = _target(table, said["address"])
    try:
        place = find_place(target)
    except InputError as error:
        raise InputError(f"{where}: {error}") from None
    request = replace(
        common,
        target=target,
        place=place,
        settings=_settings(common.settings, said),
        python=said.get("python", common.python),
        folder=said.get("remote_dir", common.folder),
    )
    rated = request.settings.rate_hz is not None
    limits = {
        name: limit for name, limit in common.limits.items() if is_measured(name, request.kind, rated=rated)
    }
    return FleetDevice(label, replace(request, limits=limits), _lane(place))


def _target(table: FleetTable, address: str) -> str:
    """As `find_place` takes it: without the deployment's name, and with the file's folder before a path."""
    if address.startswith(SSH):
        return SSH + address.removeprefix(SSH).partition("/")[0]
    return str(table.path.parent / address) if address.endswith(".toml") else address


def _settings(common: Settings, said: Mapping[str, Any]) -> Settings:
    """Where paced runs are asked for, a device has them as its loop runs there."""
    paced = {key: said[key] for key in ("rate_hz", "fifo") if key in said and common.rate_hz is not None}
    return replace(common, cpu=said.get("cpu", common.cpu), **paced)


def _lane(place: Place) -> str:
    """A host is one machine whatever user and port are named; so is whatever emulates on this one."""
    if isinstance(place, Local):
        return THIS_MACHINE
    if isinstance(place, Emulated):
        return "emulator"
    if isinstance(place, Remote):
        return f"ssh {place.host.lower()}"
    return f"serial {os.path.realpath(place.port)}"


def in_lanes(devices: Sequence[FleetDevice]) -> list[list[FleetDevice]]:
    """Devices by what they share, each kept in its order."""
    lanes: dict[str, list[FleetDevice]] = {}
    for device in devices:
        lanes.setdefault(device.lane, []).append(device)
    return list(lanes.values())
