"""The bundle: a folder with a controller in several formats, and the proof that they do its job.

``docs/bundle-format.md`` specifies it. A bundle is written beside its place and renamed into it when
everything, the manifest last, is on disk: there is a whole bundle or none. Reading checks every file
against the manifest before anything else looks at it.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from ltc_edge.errors import BundleError, OutputError
from ltc_edge.files import exchange, new_folder_mode, sync_folder

FORMAT = "ltc-edge bundle"
SCHEMA_VERSION = 1
MANIFEST = "manifest.json"
MAX_FILE_BYTES = 1 << 26
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}(?:/[A-Za-z0-9][A-Za-z0-9._-]{0,99}){0,4}")
"""A file, or one in a folder: names that begin with a letter or a digit lead nowhere else."""

_UNFINISHED, _REPLACED = ".unfinished", ".replaced"


@dataclass(frozen=True)
class BundleFiles:
    """The files of a bundle, which are what its manifest says.

    Attributes:
        path: the folder.
        manifest: the document, without its own digest.
        contents: of every file but the manifest, by name, as they were checked.
    """

    path: Path
    manifest: Mapping[str, Any]
    contents: Mapping[str, bytes]


def write_bundle(
    path: Path, document: Mapping[str, Any], contents: Mapping[str, bytes], *, force: bool = False
) -> None:
    """Write a bundle, atomically; the same contents give the same bytes.

    Args:
        path: the folder; it must not exist, be empty, or with ``force`` be a bundle.
        document: the manifest but for format, schema, files and digest.
        contents: the files by name.
        force: replace a bundle.

    Raises:
        OutputError: the folder is in use or cannot be written; what was there is untouched.
    """
    refuse_existing(path, force=force)
    manifest = manifest_bytes(document, contents)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(path)
        with _scratch(path) as scratch:
            for name, content in sorted(contents.items()):
                (scratch / name).parent.mkdir(parents=True, exist_ok=True)
                _write(scratch / name, content)
            _write(scratch / MANIFEST, manifest)
            scratch.chmod(new_folder_mode())
            for folder in (*_folders(contents), ""):
                sync_folder(scratch / folder)
            _put_in_place(scratch, path, force=force)
            sync_folder(path.parent)
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST):  # another export was faster
            refuse_existing(path, force=force)
        raise OutputError(f"{path}: cannot be written ({error.strerror or error})") from None


def _folders(names: Iterable[str]) -> list[str]:
    """Every folder within a bundle, the deepest first."""
    found = {str(parent) for name in names for parent in PurePosixPath(name).parents} - {"."}
    return sorted(found, key=lambda folder: -folder.count("/"))


@contextlib.contextmanager
def _scratch(path: Path) -> Iterator[Path]:
    """A folder beside ``path``, locked while it is in use, and removed where it did not become the bundle."""
    scratch = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=_UNFINISHED, dir=path.parent))
    handle = os.open(scratch, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # a file system without locks
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield scratch
    finally:
        os.close(handle)
        shutil.rmtree(scratch, ignore_errors=True)


def _remove_leftovers(path: Path) -> None:
    """What killed exports left behind; what is locked belongs to one that is still at work."""
    for leftover in path.parent.iterdir():
        if leftover.name.startswith(f".{path.name}.") and leftover.name.endswith(_UNFINISHED):
            try:
                handle = os.open(leftover, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            except OSError:
                continue
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(leftover, ignore_errors=True)
            except OSError:
                continue
            finally:
                os.close(handle)


def refuse_existing(path: Path, *, force: bool) -> None:
    """Refuse early where a bundle cannot go: a wrong ``-o`` must cost neither time nor somebody's files.

    Raises:
        OutputError: something is there that is not to be replaced.
    """
    try:
        if path.is_symlink() or (path.exists() and not path.is_dir()):
            raise OutputError(f"{path}: exists and is not a folder; choose another with -o")
        _check_writable(path)
        if not path.is_dir() or not any(path.iterdir()):
            return
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror or error})") from None
    if not force:
        raise OutputError(f"{path}: exists already; choose another with -o, or replace it with --force")
    if not (path / MANIFEST).is_file():
        raise OutputError(f"{path}: is not a bundle, so --force does not replace it; choose another with -o")


def _check_writable(path: Path) -> None:
    parent = path.absolute().parent
    while not parent.exists():
        parent = parent.parent
    if not parent.is_dir():
        raise OutputError(f"{path}: cannot be written ({parent} is not a folder); choose another with -o")
    if not os.access(parent, os.W_OK | os.X_OK):
        raise OutputError(f"{path}: cannot be written (no permission in {parent}); choose another with -o")


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _put_in_place(scratch: Path, path: Path, *, force: bool) -> None:
    """One rename: at every moment there is the old bundle or the new one."""
    if not force or not path.exists() or not any(path.iterdir()):
        scratch.rename(path)  # fails where there is something by now
    elif not exchange(scratch, path):
        # This file system cannot do it at once. What steps aside can still be found after a crash.
        aside = scratch.with_name(scratch.name.removesuffix(_UNFINISHED) + _REPLACED)
        path.rename(aside)
        scratch.rename(path)
        shutil.rmtree(aside, ignore_errors=True)


def manifest_bytes(document: Mapping[str, Any], contents: Mapping[str, bytes]) -> bytes:
    """The manifest of these files, with a digest of itself."""
    whole = {
        "format": FORMAT,
        "schema": SCHEMA_VERSION,
        **document,
        "files": {
            name: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            for name, content in sorted(contents.items())
        },
    }
    return _canonical(whole | {"sha256": hashlib.sha256(_canonical(whole)).hexdigest()})


def _canonical(document: Mapping[str, Any]) -> bytes:
    return (
        json.dumps(document, indent=2, sort_keys=True, allow_nan=False, ensure_ascii=False) + "\n"
    ).encode()


def read_bundle_files(path: Path) -> BundleFiles:
    """Read a bundle into memory, every file checked against the manifest.

    Raises:
        BundleError: it is none, a file is missing, was changed or lies elsewhere, or it is of an unknown
            version.
    """
    document = _manifest(path)
    contents = {}
    for name, entry in document["files"].items():
        content = _read(path, name)
        if len(content) != entry["bytes"] or hashlib.sha256(content).hexdigest() != entry["sha256"]:
            raise BundleError(f"{path / name}: is not the file that was exported; export the bundle again")
        contents[name] = content
    _refuse_others(path, contents)
    return BundleFiles(path, document, contents)


def _refuse_others(path: Path, contents: Mapping[str, bytes]) -> None:
    """What is not in the manifest was not exported; hidden files are the droppings of file managers."""
    folders = set(_folders(contents))
    for inside in ("", *sorted(folders)):
        for entry in sorted((path / inside).iterdir()):
            name = f"{inside}/{entry.name}" if inside else entry.name
            known = name in contents or name == MANIFEST or (name in folders and not entry.is_symlink())
            if not known and not entry.name.startswith("."):
                raise BundleError(f"{path}: holds {name!r}, which is not of this bundle; remove it")


def _manifest(path: Path) -> dict[str, Any]:
    if not path.is_dir():
        what = "is a file" if path.exists() else "no such folder"
        raise BundleError(f"{path}: {what}; name the folder that `ltc-edge export` wrote")
    try:
        return _checked_manifest(path)
    except OSError as error:
        raise BundleError(f"{path}: cannot be read ({error.strerror or error})") from None


def _checked_manifest(path: Path) -> dict[str, Any]:
    if not (path / MANIFEST).exists():
        raise BundleError(f"{path}: is not a bundle of `ltc-edge export` (it has no {MANIFEST})")
    content = _read(path, MANIFEST)
    where = path / MANIFEST
    try:
        document = json.loads(content)
        if not isinstance(document, dict) or document.get("format") != FORMAT:
            raise BundleError(f"{where}: is not the manifest of an ltc-edge bundle")
        if document.get("schema") != SCHEMA_VERSION or type(document["schema"]) is not int:
            raise BundleError(
                f"{where}: schema version {document.get('schema')!r} is unknown here (this is version "
                f"{SCHEMA_VERSION}); upgrade ltc-edge"
            )
        stated = document.pop("sha256", None)
        # Compared as bytes too, so that even a changed blank is noticed.
        intact = content == _canonical(
            document | {"sha256": hashlib.sha256(_canonical(document)).hexdigest()}
        )
        if not intact or stated is None:
            raise BundleError(f"{where}: was damaged or edited; export the bundle again")
        _check_files(document, where)
    except (ValueError, RecursionError, TypeError):
        raise BundleError(f"{where}: was damaged; export the bundle again") from None
    return document


def _check_files(document: Mapping[str, Any], where: Path) -> None:
    files = document.get("files")
    if not isinstance(files, dict) or not all(
        isinstance(entry, dict) and type(entry.get("bytes")) is int and isinstance(entry.get("sha256"), str)
        for entry in files.values()
    ):
        raise BundleError(f"{where}: its list of files is unreadable; export the bundle again")
    for name in files:
        if not _NAME.fullmatch(name) or name == MANIFEST:
            raise BundleError(
                f"{where}: lists {name!r}, which is no file of a bundle; do not trust this bundle"
            )


def _read(folder: Path, name: str) -> bytes:
    path = folder / name
    try:
        for parent in (folder / above for above in _folders([name])):
            if parent.is_symlink():
                raise BundleError(f"{parent}: is not a regular folder; do not trust this bundle")
        # A link could lead out of the folder, and a pipe would wait for ever.
        if path.is_symlink() or (path.exists() and not path.is_file()):
            raise BundleError(f"{path}: is not a regular file; do not trust this bundle")
        if path.stat().st_size > MAX_FILE_BYTES:
            raise BundleError(f"{path}: is larger than any file of a bundle (over 64 MiB)")
        return path.read_bytes()
    except FileNotFoundError:
        raise BundleError(f"{path}: is missing; export the bundle again") from None
    except OSError as error:
        raise BundleError(f"{path}: cannot be read ({error.strerror or error})") from None
