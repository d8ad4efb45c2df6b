"""The files of a fleet's profile: a folder a device, and what they say together."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ltc_edge.errors import InputError, MissingExtraError, OutputError
from ltc_edge.files import write_atomically
from ltc_edge.profiling.fleet.picture import can_draw, draw_fleet
from ltc_edge.profiling.profile_files import CSV as DEVICE_CSV
from ltc_edge.profiling.profile_files import JSON as DEVICE_JSON
from ltc_edge.profiling.profile_files import PICTURE as DEVICE_PICTURE
from ltc_edge.profiling.profile_files import refuse_existing
from ltc_edge.profiling.table_csv import safe_cell

JSON, CSV, PICTURE = "fleet.json", "fleet.csv", "fleet.png"
_OF_DEVICE = ("target", "kind", "status", "error", "seconds", "celsius")
_OF_FORMAT = (
    *("status", "detail", "runtime", "p50_us", "p99_us", "instructions", "misses", "periods"),
    *("max_abs_error", "budgets_kept", "baseline_ratio", "baseline_verdict"),
)
_ALIKE = ("alike", "median_us", "ratio", "limit_us", "straggler")


def refuse_fleet_folder(folder: Path, labels: Sequence[str], *, force: bool) -> None:
    """See before anything is measured that all can be written; nothing is made.

    Raises:
        OutputError: there is a profile already and ``force`` is not given, or the folder cannot be one.
        InputError: a device is called like one of the files.
    """
    for label in labels:
        if label.lower() in (JSON, CSV, PICTURE):
            raise InputError(f"{label} is the name of a file in {folder}; call the device otherwise")
    refuse_existing(folder, force=force, names=(JSON, CSV, PICTURE))
    for label in labels:
        refuse_existing(folder / label, force=force)


def write_fleet(folder: Path, document: Mapping[str, Any]) -> list[str]:
    """Write what devices say together; what could not be made, a line each.

    Raises:
        OutputError: the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written ({error.strerror})") from None
    write_atomically(folder / CSV, fleet_csv(document).encode())
    _forget_earlier(folder, [label for label, device in document["devices"].items() if not device["formats"]])
    notes = []
    if can_draw(document):
        try:
            draw_fleet(document, folder / PICTURE)
        except MissingExtraError as missing:
            notes.append(f"{PICTURE} was not drawn: {missing}")
    # The last one: where it is, the others are.
    write_atomically(folder / JSON, (json.dumps(document, indent=1, allow_nan=False) + "\n").encode())
    return notes


def _forget_earlier(folder: Path, labels: Sequence[str]) -> None:
    """Remove what an earlier run wrote of devices that have no figures now, and its picture."""
    old = [folder / label / name for label in labels for name in (DEVICE_JSON, DEVICE_CSV, DEVICE_PICTURE)]
    try:
        for path in (folder / PICTURE, *old):
            path.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(f"{error.filename}: cannot be replaced ({error.strerror})") from None


def fleet_csv(document: Mapping[str, Any]) -> str:
    """A row for each device and format, and one for a device of which nothing was measured.

    Columns are named after the keys of ``fleet.json``: those of a device begin with ``device_``, what it is
    with ``fact_``, and its comparison with devices like it with ``alike_``.
    """
    rows = [row for label, device in document["devices"].items() for row in _rows(label, device)]
    columns = dict.fromkeys(name for row in rows for name in row)
    file = io.StringIO()
    writer = csv.DictWriter(file, [*columns], lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: safe_cell(value) for name, value in row.items()} for row in rows)
    return file.getvalue()


def _rows(label: str, device: Mapping[str, Any]) -> list[dict[str, Any]]:
    about = {"device": label} | {f"device_{name}": device[name] for name in _OF_DEVICE}
    about["device_failures"] = "; ".join(device["failures"]) or None
    facts = {f"fact_{name}": value for name, value in device["facts"].items()}
    found = []
    for form, reading in (device["formats"] or {None: None}).items():
        figures = {name: None if reading is None else reading[name] for name in _OF_FORMAT}
        alike = None if reading is None else reading["alike"]
        compared = {f"alike_{name}": None if alike is None else alike[name] for name in _ALIKE}
        found.append({**about, "format": form, **figures, **compared, **facts})
    return found
