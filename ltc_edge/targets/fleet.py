"""A fleet as a file in TOML, for `profile` and `deploy`: names of its devices, where each is, and what is
different for some of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ltc_edge.errors import InputError
from ltc_edge.targets.description import read_table

KINDS: Mapping[str, type | tuple[type, ...]] = {
    "address": str,
    "groups": list,
    "python": str,
    "remote_dir": str,
    "cpu": int,
    "fifo": int,
    "rate_hz": (int, float),
    "io": str,
    "supervisor": str,
    "beyond_loopback": bool,
    "start": str,
    "log_minutes": int,
    "log_keep": int,
    "root": str,
    "service": str,
    "sudo": bool,
    "keep": int,
}
"""What a device may say, and of what kind it is; each command takes what concerns it."""
MAX_BYTES = 1 << 22
"""Of the file: tens of thousands of devices."""
_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True)
class FleetTable:
    """A fleet, as its file says it.

    Attributes:
        path: of the file; paths in it are relative to its folder.
        devices: what each says, by its name, which is a safe name of a file too.
        canary, parallel: None where the file does not say.
    """

    path: Path
    devices: Mapping[str, Mapping[str, Any]]
    canary: str | None = None
    parallel: int | None = None


def read_fleet_table(path: Path, groups: Sequence[str] = ()) -> FleetTable:
    """The fleet in a file.

    Args:
        path: the file.
        groups: only devices in one of these; all where none is named.

    Raises:
        InputError: the file cannot be read, a key or a value in it means nothing, or no device is in a group.
    """
    table = dict(read_table(path, MAX_BYTES))
    devices = table.pop("devices", None)
    canary, parallel = table.pop("canary", None), table.pop("parallel", None)
    if table:
        raise InputError(f"{path}: a fleet has no {', '.join(map(repr, sorted(table)))}")
    if not isinstance(devices, dict) or not devices:
        raise InputError(f'{path}: names no devices; add [devices.NAME] with address = "ssh://..."')
    if canary is not None and canary not in devices:
        raise InputError(f"{path}: canary is {canary!r}, which is none of its devices")
    if parallel is not None and not (_is(parallel, int) and 1 <= parallel <= 1000):
        raise InputError(f"{path}: parallel must be a whole number from 1 to 1000, not {parallel!r}")
    alike = {label.lower(): label for label in devices}
    for label, device in devices.items():
        _check_label(path, label, alike)
        _check_device(f"{path}: [devices.{label}]", device)
    chosen = _chosen(path, devices, groups)
    return FleetTable(path, chosen, canary if canary in chosen else None, parallel)


def _check_label(path: Path, label: str, alike: Mapping[str, str]) -> None:
    if not _LABEL.fullmatch(label):
        raise InputError(f"{path}: {label[:60]!r} is no name of a device: letters, digits, and . _ -")
    # There are file systems on which they would be one folder.
    other = alike[label.lower()]
    if other != label:
        raise InputError(f"{path}: {label} and {other} are one name but for capitals; rename one")


def _check_device(where: str, table: Any) -> None:
    if not isinstance(table, dict) or not isinstance(table.get("address"), str):
        raise InputError(f'{where}: needs address = "ssh://user@host"')
    odd = table.keys() - KINDS.keys()
    if odd:
        raise InputError(f"{where}: has no {', '.join(map(repr, sorted(odd)))}")
    for key, value in table.items():
        if not _is(value, KINDS[key]) or value == "":
            raise InputError(f"{where}: {key} cannot be {value!r}")
    groups = table.get("groups", [])
    if not all(isinstance(group, str) and _LABEL.fullmatch(group) for group in groups):
        raise InputError(f'{where}: groups must be names, such as ["lab"], not {groups!r}')


def _chosen(path: Path, devices: Mapping[str, Any], groups: Sequence[str]) -> dict[str, Any]:
    """The devices that are in one of the groups.

    Raises:
        InputError: nobody is in one of them.
    """
    known = dict.fromkeys(group for device in devices.values() for group in device.get("groups", ()))
    for group in groups:
        if group not in known:
            there = f"there are {', '.join(known)}" if known else "add groups = [...] to its devices"
            raise InputError(f"{path}: no device is in the group {group!r}; {there}")
    return {
        label: device
        for label, device in devices.items()
        if not groups or set(groups) & set(device.get("groups", ()))
    }


def _is(value: Any, kind: type | tuple[type, ...]) -> bool:
    """Whether a value is of a kind; true and false are no numbers."""
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
