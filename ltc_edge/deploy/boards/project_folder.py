"""A firmware project on disk: written whole or not at all, and never over what somebody changed."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ltc_edge.deploy.boards.project import APP, RECORD, is_users
from ltc_edge.deploy.generated_folder import changed_files
from ltc_edge.errors import OutputError
from ltc_edge.files import exchange, new_folder_mode, sync_folder

BUILD = "build"
"""What make writes into."""

LARGEST_RECORD = 1 << 20


def write_project(files: Mapping[str, bytes], folder: Path, *, force: bool = False) -> None:
    """Write a project's files; those of an earlier one give way, but for the user's, which stay.

    Args:
        files: content by path; those under `APP` are written where the folder has no `APP` yet.
        folder: where to; its name may be anything.
        force: replace what somebody changed or added in a project outside of `APP`.

    Raises:
        OutputError: the folder is no project, was changed and ``force`` is not given, or cannot be written.
            What was there before is untouched then.
    """
    folder = folder.absolute()
    try:
        if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
            raise OutputError(f"{folder}: exists and is not a folder; choose another with -o")
        is_there = folder.exists()
        if is_there and any(folder.iterdir()):
            record = read_record(folder)
            if not force:
                refuse_changed(folder, record["files"])
        folder.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
        try:
            _fill(scratch, files, folder)
            _put(scratch, folder, is_there=is_there)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        sync_folder(folder.parent)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written ({error.strerror or error})") from None


def refuse_changed(folder: Path, written: Mapping[str, Any]) -> None:
    """Refuse a project that is not as it was written, whatever its `APP` holds.

    Args:
        folder: the project.
        written: SHA-256 of each file that was written, by path.

    Raises:
        OutputError: a file was changed or added.
    """
    for path in changed_files(folder, written):
        name = path.relative_to(folder).as_posix()
        if is_users(name) or name == RECORD or name.startswith(f"{BUILD}/"):
            continue
        if name not in written:
            raise OutputError(f"{path}: is not of the project; move it to {APP}, or lose it with --force")
        raise OutputError(f"{path}: was changed since it was written; --force replaces it")


def read_record(folder: Path) -> dict[str, Any]:
    """What a project says of itself.

    Raises:
        OutputError: the folder is no project.
    """
    try:
        with (folder / RECORD).open("rb") as file:
            record = json.loads(file.read(LARGEST_RECORD))
        if record["format"] == "ltc-edge firmware project" and isinstance(record["files"], dict):
            return dict(record)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        pass
    raise OutputError(
        f"{folder}: exists already and is no firmware project of ltc-edge; choose another with -o"
    )


def read_project(folder: Path) -> dict[str, bytes]:
    """All files of a project that an image is made of, the user's included, by path.

    Raises:
        OutputError: the folder is no project.
    """
    read_record(folder)
    files = {}
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and not path.is_symlink() and not name.startswith(f"{BUILD}/"):
            files[name] = path.read_bytes()
    return files


def _fill(scratch: Path, files: Mapping[str, bytes], old: Path) -> None:
    """The new project's files, and what of the old one is the user's."""
    scratch.chmod(new_folder_mode())
    keeps = (old / APP).is_dir()
    for name, content in files.items():
        if keeps and is_users(name):
            continue
        path = scratch / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    for path in old.iterdir() if old.is_dir() else ():
        if not is_users(path.name):
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.copytree(path, scratch / path.name, symlinks=True)
        else:
            shutil.copy2(path, scratch / path.name, follow_symlinks=False)


def _put(scratch: Path, folder: Path, *, is_there: bool) -> None:
    """Let the new folder take the old one's place; the old one is then in ``scratch``, and goes."""
    if not is_there:
        scratch.rename(folder)
    elif not exchange(scratch, folder):
        aside = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}.")) / "old"
        folder.rename(aside)
        scratch.rename(folder)
        shutil.rmtree(aside.parent)
