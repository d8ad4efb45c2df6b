"""Puts entries into the package: archives, the index that pins them, and the table of the page."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ltc_edge.bundle.bundle import load_bundle
from ltc_edge.bundle.contents import CARD
from ltc_edge.bundle.folder import MANIFEST, manifest_bytes
from ltc_edge.files import write_atomically
from ltc_edge.training.sources import source_to_json
from ltc_edge.zoo.archive import CONTROLLER, archive_bytes
from ltc_edge.zoo.entry import UNSAID
from ltc_edge.zoo.index import FOLDER, FORMAT, INDEX, SCHEMA_VERSION, Missing, read_index
from ltc_edge.zoo.page import BEGIN, END, page_tables
from ltc_edge.zoo.take import ADDED
from zoo_build.card import zoo_section
from zoo_build.measuring import bundle_folder
from zoo_build.wanted import Wanted

PAGE = Path(__file__).parents[2] / "docs" / "zoo.md"
MOST_BYTES = 5_000_000
"""What all archives and the index may take of the package."""


def put(
    entry: Wanted,
    document: Mapping[str, Any],
    work: Path,
    wanted: Sequence[Wanted],
    missing: Sequence[Missing],
) -> None:
    """Write the archive of a measured entry, and the index with it."""
    document = {**UNSAID, **document}
    files = _archived(entry, document, work)
    content = archive_bytes(files)
    (FOLDER / "entries").mkdir(exist_ok=True)
    write_atomically(FOLDER / "entries" / f"{entry.name}.zip", content)
    digests = {"archive": content, "manifest": files[MANIFEST], "controller": files[CONTROLLER]}
    pinned = {
        **document,
        "archive_bytes": len(content),
        "sha256": {name: hashlib.sha256(each).hexdigest() for name, each in digests.items()},
    }
    write_index(_entries() | {entry.name: pinned}, wanted, missing)


def _archived(entry: Wanted, document: Mapping[str, Any], work: Path) -> dict[str, bytes]:
    """What the package holds: all but the C, with the card and the manifest as they will be."""
    bundle = load_bundle(bundle_folder(entry, work))
    contents = dict(bundle.files.contents)
    contents[CARD] = contents[CARD].rstrip() + b"\n\n" + zoo_section(entry.name, document).encode()
    manifest = {key: value for key, value in bundle.files.manifest.items() if key not in ADDED}
    manifest["source"] = source_to_json(entry.source())  # its recordings where any machine may have them
    folders = tuple(f"{artifact.form.file}/" for artifact in bundle.artifacts.values() if artifact.c_name)
    kept = {name: content for name, content in contents.items() if not name.startswith(folders)}
    controller = entry.run(work, document["seeds"]["chosen"]) / CONTROLLER
    return {**kept, MANIFEST: manifest_bytes(manifest, contents), CONTROLLER: controller.read_bytes()}


def _entries() -> dict[str, Any]:
    if not INDEX.exists():
        return {}
    return {name: entry.document for name, entry in read_index(INDEX).entries.items()}


def write_index(
    entries: Mapping[str, Any] | None, wanted: Sequence[Wanted], missing: Sequence[Missing]
) -> None:
    """Write the index with ``entries``, or those it has; those no longer wanted are taken out."""
    found = _entries() if entries is None else entries
    kept = {entry.name: found[entry.name] for entry in wanted if entry.name in found}
    document = {
        "format": FORMAT,
        "schema": SCHEMA_VERSION,
        "entries": kept,
        "missing": [{"task": each.task, "reason": each.reason} for each in missing],
    }
    write_atomically(
        INDEX, (json.dumps(document, indent=1, allow_nan=False, ensure_ascii=False) + "\n").encode()
    )
    for archive in (FOLDER / "entries").glob("*.zip"):
        if archive.stem not in kept:
            archive.unlink()


def write_page() -> None:
    """Write the tables of the page anew."""
    text = PAGE.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    write_atomically(PAGE, f"{before}{BEGIN}\n{page_tables(read_index(INDEX))}\n{END}{after}".encode())


def package_bytes() -> int:
    """What the zoo takes of the package; a wheel compresses the index further."""
    return sum(path.stat().st_size for path in [INDEX, *(FOLDER / "entries").glob("*.zip")])
