"""A fleet as a file in TOML: its devices, and what is different for some of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

from ltc_edge.deploy.linux.address import Address, find_address
from ltc_edge.deploy.linux.settings import SERVICES, DeviceSettings, LoopSettings, Order, Start
from ltc_edge.errors import InputError
from ltc_edge.targets.description import read_table

_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_LOOP: Mapping[str, type | tuple[type, ...]] = {
    "io": str,
    "rate_hz": (int, float),
    "supervisor": str,
    "fifo": int,
    "cpu": int,
    "beyond_loopback": bool,
    "start": str,
    "log_minutes": int,
    "log_keep": int,
}
_DEVICE: Mapping[str, type | tuple[type, ...]] = {
    "python": str,
    "root": str,
    "service": str,
    "sudo": bool,
    "keep": int,
}


@dataclass(frozen=True)
class Target:
    """A device of a deployment.

    Attributes:
        label: what it is called.
        address: where it is.
        order: what is done there.
    """

    label: str
    address: Address
    order: Order


@dataclass(frozen=True)
class Fleet:
    """Attributes: ``targets``; ``canary`` and ``parallel`` where the file says them."""

    targets: tuple[Target, ...]
    canary: str | None = None
    parallel: int | None = None


def read_fleet(path: Path, order: Order) -> Fleet:
    """The fleet in a file.

    Args:
        path: the file.
        order: what the command line says; what a device says itself comes first.

    Raises:
        InputError: the file cannot be read, or a key or a value in it means nothing.
    """
    table = dict(read_table(path))
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
    targets = tuple(_target(path, label, device, order) for label, device in devices.items())
    return Fleet(targets, canary, parallel)


def _target(path: Path, label: str, table: Any, order: Order) -> Target:
    where = f"{path}: [devices.{label}]"
    if not _LABEL.fullmatch(label):
        raise InputError(f"{path}: {label[:60]!r} is no name of a device: letters, digits, and . _ -")
    if not isinstance(table, dict) or not isinstance(table.get("address"), str):
        raise InputError(f'{where}: needs address = "ssh://user@host"')
    odd = table.keys() - {"address"} - _LOOP.keys() - _DEVICE.keys()
    if odd:
        raise InputError(f"{where}: has no {', '.join(map(repr, sorted(odd)))}")
    for key, kind in {**_LOOP, **_DEVICE}.items():
        if key in table and not _is(table[key], kind):
            raise InputError(f"{where}: {key} cannot be {table[key]!r}")
    for key, known in (("service", SERVICES), ("start", get_args(Start))):
        if table.get(key, known[0]) not in known:
            raise InputError(f"{where}: {key} must be one of {', '.join(known)}, not {table[key]!r}")
    loop: dict[str, Any] = {key: table[key] for key in _LOOP if key in table}
    if "supervisor" in loop:
        loop["supervisor"] = path.parent / loop["supervisor"]
    device = {key: table[key] for key in _DEVICE if key in table}
    changed: tuple[LoopSettings, DeviceSettings] = (
        replace(order.loop, **loop),
        replace(order.device, **device),
    )
    return Target(label, find_address(table["address"]), replace(order, loop=changed[0], device=changed[1]))


def _is(value: Any, kind: type | tuple[type, ...]) -> bool:
    """Whether a value is of a kind; true and false are no numbers."""
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
