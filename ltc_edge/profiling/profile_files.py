"""The files of a profile: its JSON, its table, its picture."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ltc_edge.errors import MissingExtraError, OutputError
from ltc_edge.files import write_atomically
from ltc_edge.profiling.pictures import can_draw, draw_histograms
from ltc_edge.profiling.table_csv import profile_csv

JSON, CSV, PICTURE = "profile.json", "profile.csv", "latency.png"


def refuse_existing(folder: Path, *, force: bool, names: Sequence[str] = (JSON, CSV, PICTURE)) -> None:
    """See before anything is measured that a profile can be written; nothing is made.

    Args:
        folder: for it.
        force: whether these files may be there already.
        names: of the files.

    Raises:
        OutputError: one of them is there already and ``force`` is not given, or the folder cannot be one.
    """
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder}: exists and is not a folder; choose another with -o")
    there = [name for name in names if (folder / name).exists()]
    if there and not force:
        raise OutputError(
            f"{folder}: has a {there[0]} already; choose another with -o, or replace it with --force"
        )
    try:
        nearest = next(place for place in (folder, *folder.absolute().parents) if place.exists())
        with tempfile.TemporaryFile(dir=nearest):
            pass
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written ({error.strerror})") from None


def refuse_inside(folder: Path, bundle: Path) -> None:
    """Refuse a place in the bundle, which a file that it does not list would make unreadable.

    Raises:
        OutputError: it is there.
    """
    if bundle.resolve() in (folder.resolve(), *folder.resolve().parents):
        raise OutputError(
            f"{folder}: is in the bundle, which holds its own files only; choose another with -o"
        )


def write_profile(folder: Path, document: Mapping[str, Any]) -> list[str]:
    """Write a profile's files; what could not be made, a line each.

    Raises:
        OutputError: the folder cannot be written.
    """
    text = json.dumps(document, indent=1, allow_nan=False) + "\n"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written ({error.strerror})") from None
    write_atomically(folder / JSON, text.encode())
    write_atomically(folder / CSV, profile_csv(document).encode())
    if not can_draw(document):
        return []
    try:
        draw_histograms(document, folder / PICTURE)
    except MissingExtraError as missing:
        return [f"{PICTURE} was not drawn: {missing}"]
    return []
