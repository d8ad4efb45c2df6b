"""What a fleet's file says of deploying: where each device is, and what is done otherwise there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

from ltc_edge.deploy.linux.address import Address, find_address
from ltc_edge.deploy.linux.settings import SERVICES, Order, Start
from ltc_edge.errors import InputError
from ltc_edge.targets.fleet import read_fleet_table

_LOOP = (
    *("io", "rate_hz", "supervisor", "fifo", "cpu"),
    *("beyond_loopback", "start", "log_minutes", "log_keep"),
)
_DEVICE = ("python", "root", "service", "sudo", "keep")


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


def read_fleet(path: Path, order: Order, groups: Sequence[str] = ()) -> Fleet:
    """The fleet in a file.

    Args:
        path: the file.
        order: what the command line says; what a device says itself comes first.
        groups: only devices in one of these; all where none is named.

    Raises:
        InputError: the file cannot be read, or a key or a value in it means nothing.
    """
    table = read_fleet_table(path, groups)
    targets = tuple(_target(path, label, device, order) for label, device in table.devices.items())
    return Fleet(targets, table.canary, table.parallel)


def _target(path: Path, label: str, table: Mapping[str, Any], order: Order) -> Target:
    where = f"{path}: [devices.{label}]"
    for key, known in (("service", SERVICES), ("start", get_args(Start))):
        if table.get(key, known[0]) not in known:
            raise InputError(f"{where}: {key} must be one of {', '.join(known)}, not {table[key]!r}")
    loop = {key: table[key] for key in _LOOP if key in table}
    if "supervisor" in loop:
        loop["supervisor"] = path.parent / loop["supervisor"]
    device = {key: table[key] for key in _DEVICE if key in table}
    try:
        address = find_address(table["address"])
    except InputError as error:
        raise InputError(f"{where}: {error}") from None
    changed = replace(order, loop=replace(order.loop, **loop), device=replace(order.device, **device))
    return Target(label, address, changed)
