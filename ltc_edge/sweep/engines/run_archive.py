"""A run folder as bytes, for workers that do not see the driver's disk: a gzipped tar of its files.

What arrives is written by nobody but our own workers, and is still not trusted with paths: only regular files
below the folder are unpacked, and no more than `MAX_BYTES` of them.
"""

from __future__ import annotations

import gzip
import io
import os
import shutil
import tarfile
import tempfile
import zlib
from pathlib import Path, PurePosixPath

from ltc_edge.errors import InputError
from ltc_edge.files import new_folder_mode, sync_folder

MAX_BYTES = 256 << 20
"""Of all files of a run; one is about 100 KB."""

MAX_FILES = 10_000

_OF_A_FILE = 1 << 12
"""Bytes of a tar that are not a file's own: headers and padding."""


def pack(folder: Path) -> bytes:
    """The files below ``folder``.

    Raises:
        InputError: they are too large to go through memory.
    """
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    size = sum(path.stat().st_size for path in files)
    if size > MAX_BYTES or len(files) > MAX_FILES:
        raise InputError(
            f"{folder.name}: the run has {len(files)} files and {size} bytes, too much to be sent; "
            "put the sweep's folder where all nodes see it"
        )
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=1) as archive:
        for path in files:
            entry = tarfile.TarInfo(path.relative_to(folder).as_posix())
            entry.size = path.stat().st_size
            with path.open("rb") as file:
                archive.addfile(entry, file)
    return buffer.getvalue()


def unpack(content: bytes, folder: Path) -> None:
    """Make the run folder ``folder`` of what `pack` gave, whole or not at all, in the place of an older one.

    When it returns, its files survive a power cut.

    Raises:
        InputError: the bytes are no such archive.
        OSError: the disk is full, or cannot be written.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    try:
        _write_files(content, made)
        made.chmod(new_folder_mode())
        if folder.exists():
            shutil.rmtree(folder)
        made.replace(folder)
        sync_folder(folder.parent)
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _write_files(content: bytes, folder: Path) -> None:
    left = MAX_BYTES
    try:
        with tarfile.open(fileobj=io.BytesIO(_decompress(content)), mode="r:") as archive:
            for count, entry in enumerate(archive, start=1):
                left -= entry.size
                _check(entry, count, left)
                source = archive.extractfile(entry)
                assert source is not None  # which only what is no regular file gives
                _write_durably(folder / entry.name, source.read())
    except (
        tarfile.TarError,
        FileExistsError,
        NotADirectoryError,
        EOFError,
        gzip.BadGzipFile,
        zlib.error,
    ) as error:
        raise InputError(f"what a worker sent is no run folder ({error})") from None
    for below in (folder, *(path for path in folder.rglob("*") if path.is_dir())):
        sync_folder(below)


def _decompress(content: bytes) -> bytes:
    """The tar in ``content``, whose end and checksum are right."""
    most = MAX_BYTES + MAX_FILES * _OF_A_FILE
    with gzip.GzipFile(fileobj=io.BytesIO(content)) as stream:
        found = stream.read(most + 1)
    if len(found) > most:
        raise InputError("a worker sent more than a run folder holds")
    if not found:
        raise EOFError("nothing")
    return found


def _check(entry: tarfile.TarInfo, count: int, left: int) -> None:
    path = PurePosixPath(entry.name)
    if not entry.isreg() or path.is_absolute() or ".." in path.parts or "\0" in entry.name or not path.parts:
        raise InputError(f"{entry.name!r}: a worker sent what is no file of a run folder")
    if left < 0 or count > MAX_FILES:
        raise InputError(f"{entry.name!r}: a worker sent more than a run folder holds")


def _write_durably(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
