"""The files of a sweep's result, each written whole or not at all: its JSON, table, picture and page."""

from __future__ import annotations

from pathlib import Path

from ltc_edge.errors import InputError, MissingExtraError
from ltc_edge.files import write_atomically
from ltc_edge.sweep.front_csv import front_csv
from ltc_edge.sweep.front_document import front_text, swept_from_bytes
from ltc_edge.sweep.front_page import front_page
from ltc_edge.sweep.front_picture import can_draw, draw_front
from ltc_edge.sweep.swept import Swept

JSON, CSV, PICTURE, PAGE = "front.json", "front.csv", "front.png", "front.html"

MAX_BYTES = 1 << 28
"""A hundred thousand trials take a quarter of it."""


def write_front(folder: Path, swept: Swept) -> list[str]:
    """Write the files of a result; what could not be made, a line each.

    Args:
        folder: of the sweep, as people name it: commands in the page begin with it.
        swept: what is written.

    Raises:
        InputError: a feasible trial lacks a goal's figure.
        OutputError: the folder cannot be written.
    """
    write_atomically(folder / JSON, front_text(swept).encode())
    write_atomically(folder / CSV, front_csv(swept).encode())
    write_atomically(folder / PAGE, front_page(swept, folder))
    # A picture of other trials, or by another budget, must not stay beside the rest.
    (folder / PICTURE).unlink(missing_ok=True)
    if not can_draw(swept):
        return []
    try:
        draw_front(swept, folder / PICTURE)
    except MissingExtraError as missing:
        return [f"{PICTURE} was not drawn: {missing}"]
    return []


def read_front(folder: Path) -> Swept:
    """The result in the folder of a sweep.

    Raises:
        InputError: there is none, or it is damaged, edited or of a newer version.
    """
    path = folder / JSON
    try:
        if not path.is_file():
            raise InputError(f"{path}: no such file; is {folder} the folder of a finished `ltc-edge sweep`?")
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from None
    if len(content) > MAX_BYTES:
        raise InputError(f"{path}: is larger than any result (over {MAX_BYTES >> 20} MiB)")
    return swept_from_bytes(content, str(path))
