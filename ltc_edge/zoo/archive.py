"""What the package holds of an entry: a zip of its bundle without the C, and the controller as trained.

The C of a bundle is what its controller and plan give, byte for byte: nobody's C is taken otherwise
(`ltc_edge.bundle.trusted`). So it is written anew when an entry is taken, and two thirds of the bytes stay
out of the package. Nothing else is made anew: bytes of the hub depend on protobuf, golden vectors and the
plan on NumPy and on the processor.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

from ltc_edge.errors import BundleError
from ltc_edge.zoo.entry import Entry
from ltc_edge.zoo.index import FOLDER

CONTROLLER = "controller.safetensors"
"""The controller as it was trained, in float64; it is no file of the bundle."""

_WRITTEN = (1980, 1, 1, 0, 0, 0)
"""The first moment that a zip can name: the same files give the same bytes."""


def archive_path(entry: Entry, folder: Path = FOLDER) -> Path:
    """Where the package holds an entry."""
    return folder / "entries" / f"{entry.name}.zip"


def archive_bytes(files: Mapping[str, bytes]) -> bytes:
    """A zip of ``files``, by name."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, file in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(name, _WRITTEN), file, zipfile.ZIP_DEFLATED, compresslevel=9)
    return content.getvalue()


def read_archive(entry: Entry, folder: Path = FOLDER) -> dict[str, bytes]:
    """The files of an entry by name, once it is known that they are those of the index.

    Raises:
        BundleError: the package's file is missing, or is not the one that the index pins.
    """
    path = archive_path(entry, folder)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BundleError(
            f"{path}: cannot be read ({error.strerror or error}); install ltc-edge again"
        ) from None
    if hashlib.sha256(content).hexdigest() != entry.digests.archive:
        raise BundleError(
            f"{path}: is not the file that the zoo's index pins; do not use it, install ltc-edge again"
        )
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}
