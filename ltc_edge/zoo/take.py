"""Taking an entry of the zoo: its bundle as it was measured, or its controller, to go on training from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ltc_edge.bundle.contents import PLAN, REPORT
from ltc_edge.bundle.folder import MANIFEST, refuse_existing, write_bundle
from ltc_edge.errors import BundleError, InputError, OutputError
from ltc_edge.export.artifacts import Artifact, make_artifact
from ltc_edge.export.formats import FORMATS, HUB
from ltc_edge.export.hub.reader import controller_from_bytes
from ltc_edge.export.plan_file import plan_from_bytes
from ltc_edge.files import write_atomically
from ltc_edge.version import __version__
from ltc_edge.zoo.archive import CONTROLLER, read_archive
from ltc_edge.zoo.entry import Entry
from ltc_edge.zoo.index import FOLDER

ADDED = ("format", "schema", "files", "sha256")
"""Keys that `write_bundle` adds to a manifest."""


@dataclass(frozen=True, eq=False)
class ZooBundle:
    """A bundle of the zoo in memory, every file checked against what the index pins.

    Attributes:
        document: the manifest but for what `write_bundle` adds.
        contents: the files by name.
    """

    document: Mapping[str, Any]
    contents: Mapping[str, bytes]

    def formats(self) -> list[str]:
        """Names of the formats it has."""
        return [name for name, entry in self.document["formats"].items() if entry["status"] == "ok"]

    def only(self, formats: Sequence[str]) -> ZooBundle:
        """The same with these formats, and the hub, which is always there.

        Raises:
            InputError: it has no such format.
        """
        refused = refusals(self.document["formats"])
        for name in formats:
            if name in refused:
                raise InputError(
                    f"the zoo has no {name} of it, which was refused: {refused[name]}; "
                    f"take {' or '.join(self.formats())}"
                )
            if name not in self.formats():
                raise InputError(
                    f"the zoo has no {name} of it, but {', '.join(self.formats())}; take its --controller, "
                    "and `ltc-edge export` it"
                )
        dropped = {name for name in self.formats() if name not in (HUB.name, *formats)}
        files = {FORMATS[name].file for name in dropped}
        contents = {name: file for name, file in self.contents.items() if name.split("/")[0] not in files}
        contents[REPORT] = _without(contents[REPORT], dropped)
        kept = {name: entry for name, entry in self.document["formats"].items() if name not in dropped}
        return ZooBundle({**self.document, "formats": kept}, contents)


def refusals(formats: Mapping[str, Any]) -> dict[str, str]:
    """Why formats that were tried are not there, each in a few words.

    Args:
        formats: the entry ``formats`` of a bundle's manifest.
    """
    return {
        name: str(said["detail"]).partition("; ")[0]  # the first failure; the card has all
        for name, said in formats.items()
        if said["status"] == "refused"
    }


def zoo_bundle(entry: Entry, folder: Path = FOLDER) -> ZooBundle:
    """The whole bundle of an entry, its C written anew.

    Raises:
        BundleError: the package's file is damaged, or what is made of it is not what was measured.
    """
    files = read_archive(entry, folder)
    del files[CONTROLLER]
    manifest = files.pop(MANIFEST)
    if hashlib.sha256(manifest).hexdigest() != entry.digests.manifest:
        raise BundleError(f"{entry.name}: its manifest is not the one that the zoo's index pins")
    document: dict[str, Any] = json.loads(manifest)
    pinned = {name: str(file["sha256"]) for name, file in document["files"].items()}
    _check(entry, document, files, {name: pinned.get(name, "") for name in files})
    contents = files | _c_files(document["formats"], files)
    _check(entry, document, contents, pinned)
    return ZooBundle({key: value for key, value in document.items() if key not in ADDED}, contents)


def _check(
    entry: Entry, document: Mapping[str, Any], files: Mapping[str, bytes], pinned: Mapping[str, str]
) -> None:
    """Compare files with the digests of what was measured."""
    for name in sorted(pinned.keys() | files.keys()):
        if hashlib.sha256(files.get(name, b"")).hexdigest() != pinned.get(name):
            raise BundleError(
                f"{entry.name}: {name} that is made here is not what was measured: ltc-edge "
                f"{document['ltc_edge']} wrote it, and this {__version__} or its libraries write another"
            )


def take_bundle(entry: Entry, path: Path, formats: Sequence[str] = (), *, force: bool = False) -> ZooBundle:
    """Write an entry's bundle to ``path``.

    Args:
        entry: the entry.
        path: folder of the bundle.
        formats: names of formats; all where there are none.
        force: replace a bundle.

    Raises:
        OutputError: ``path`` is taken or cannot be written; what was there is untouched.
        InputError: the bundle has no such format.
        BundleError: the package's file is damaged, or what is made of it is not what was measured.
    """
    refuse_existing(path, force=force)
    bundle = zoo_bundle(entry)
    if formats:
        bundle = bundle.only(formats)
    write_bundle(path, bundle.document, bundle.contents, force=force)
    return bundle


def take_controller(entry: Entry, path: Path, *, force: bool = False) -> None:
    """Write the controller as it was trained to the file ``path``.

    Raises:
        OutputError: ``path`` is taken or cannot be written.
        BundleError: the package's file is damaged.
    """
    if path.is_dir():
        raise OutputError(f"{path}: is a folder; name a file, such as {path / CONTROLLER}")
    if path.exists() and not force:
        raise OutputError(f"{path}: exists already; choose another with -o, or replace it with --force")
    content = zoo_controller(entry)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror or error})") from None
    write_atomically(path, content)


def zoo_controller(entry: Entry, folder: Path = FOLDER) -> bytes:
    """The file of the controller as it was trained.

    Raises:
        BundleError: the package's file is damaged.
    """
    return read_archive(entry, folder)[CONTROLLER]


def _c_files(formats: Mapping[str, Any], files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The folders of the formats in C."""
    controller = controller_from_bytes(files[HUB.file], HUB.file)
    made: dict[str, bytes] = {}
    for name, entry in formats.items():
        form = FORMATS[name]
        if entry["status"] == "ok" and form.runtime == "c":
            plan = plan_from_bytes(files[PLAN], PLAN) if form.arithmetic == "integer" else None
            artifact = make_artifact(form, controller, plan, entry["name"])
            if isinstance(artifact, Artifact):  # else its files are missing, and the manifest tells
                made |= artifact.files
    return made


def _without(report: bytes, formats: set[str]) -> bytes:
    """A verification's report without what is said of ``formats``."""
    document = json.loads(report)
    document["formats"] = {name: said for name, said in document["formats"].items() if name not in formats}
    return (json.dumps(document, indent=2, allow_nan=False) + "\n").encode()
