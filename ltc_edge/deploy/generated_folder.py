"""Folders of generated files: written whole or not at all, and what somebody changed in one since."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ltc_edge.errors import OutputError
from ltc_edge.files import exchange, new_folder_mode, sync_folder


def write_folder(files: Mapping[str, bytes], folder: Path, check: Callable[[Path], None]) -> None:
    """Write files into a new folder, or in the place of an earlier one.

    Args:
        files: content by path.
        folder: where to.
        check: raises `OutputError` where a folder that is there, and not empty, must stay.

    Raises:
        OutputError: it must stay, or cannot be written. What was there before is untouched.
    """
    folder = folder.absolute()
    try:
        if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
            raise OutputError(f"{folder}: exists and is not a folder; choose another")
        if folder.exists() and any(folder.iterdir()):
            check(folder)
        folder.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
        try:
            scratch.chmod(new_folder_mode())
            for name, content in files.items():
                (scratch / name).parent.mkdir(parents=True, exist_ok=True)
                (scratch / name).write_bytes(content)
            if folder.exists() and any(folder.iterdir()):
                if not exchange(scratch, folder):
                    raise OutputError(f"{folder}: cannot be replaced in one step here; choose a new folder")
            else:
                scratch.rename(folder)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        sync_folder(folder.parent)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written ({error.strerror or error})") from None


def changed_files(folder: Path, written: Mapping[str, Any]) -> Iterator[Path]:
    """What in a folder is not as it was written: files that were changed or added, links included.

    Args:
        folder: where to look.
        written: SHA-256 of each file that was written, by path.
    """
    for path in sorted(folder.rglob("*")):
        if path.is_dir() and not path.is_symlink():
            continue
        digest = written.get(path.relative_to(folder).as_posix())
        is_plain = path.is_file() and not path.is_symlink()
        if not is_plain or hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            yield path
