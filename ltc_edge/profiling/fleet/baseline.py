"""What a fleet is compared with: an earlier profile of it, each device with itself, or an earlier bundle."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ltc_edge.bundle.folder import MANIFEST
from ltc_edge.errors import InputError
from ltc_edge.profiling.baseline import read_baseline
from ltc_edge.profiling.fleet.devices import FleetDevice
from ltc_edge.profiling.fleet.document import FORMAT, SCHEMA
from ltc_edge.profiling.fleet.files import JSON
from ltc_edge.profiling.places import Serial
from ltc_edge.profiling.profile_files import JSON as DEVICE_JSON

MAX_BYTES = 1 << 26


def with_baseline(
    devices: Sequence[FleetDevice], path: Path, formats: Sequence[str]
) -> tuple[list[FleetDevice], tuple[str, ...]]:
    """The devices, each with what it is compared with, and the labels of those that have nothing.

    Args:
        devices: of the fleet.
        path: the folder of an earlier profile of a fleet, or an earlier bundle.
        formats: that are profiled.

    Raises:
        InputError: it is neither, or no device can be compared with it.
    """
    if (path / MANIFEST).exists():
        for device in devices:
            if isinstance(device.request.place, Serial):
                raise InputError(
                    f"{path}: a bundle is timed on a device in turns with another, which {device.label} on a "
                    "serial line cannot: it runs one; leave it out with --group"
                )
        return [_comparing(device, path) for device in devices], ()
    if path.is_file() or (path / DEVICE_JSON).exists():
        raise InputError(
            f"{path}: is the profile of one device; a fleet is compared with the folder of its earlier "
            "profile, or with an earlier bundle"
        )
    _refuse_other(path / JSON)
    found, new = [], []
    for device in devices:
        earlier = path / device.label / DEVICE_JSON
        if earlier.exists() and _has_figures(read_baseline(earlier, device.request.kind), formats):
            found.append(_comparing(device, earlier))
        else:
            found.append(device)
            new.append(device.label)
    if len(new) == len(devices):
        raise InputError(f"{path}: has no figures of any of these devices; are they called otherwise there?")
    return found, tuple(new)


def _comparing(device: FleetDevice, path: Path) -> FleetDevice:
    return replace(device, request=replace(device.request, baseline=path))


def _refuse_other(path: Path) -> None:
    """Refuse what is no profile of a fleet.

    Raises:
        InputError: it is none, or of another version.
    """
    try:
        with path.open("rb") as file:
            document = json.loads(file.read(MAX_BYTES))
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); name the folder of a fleet") from None
    except (ValueError, RecursionError):
        raise InputError(f"{path}: is no profile of a fleet") from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise InputError(f"{path}: is no profile of a fleet")
    if document.get("schema") != SCHEMA:
        raise InputError(f"{path}: is of schema {document.get('schema')!r:.40}, not {SCHEMA}; profile again")


def _has_figures(document: dict[str, Any], formats: Sequence[str]) -> bool:
    """Whether one of the formats ran to its end then."""
    rows = document["formats"]
    return any(isinstance(rows.get(name), dict) and rows[name].get("status") == "ok" for name in formats)
