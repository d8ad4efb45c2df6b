"""Folders of this user's cache that hold programs: these are run, so nobody else may put any there."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from ltc_edge.errors import CacheError

OURS = "ltc-edge"
LEVELS = 2
"""Folders between a folder of programs and the cache of the user: ours, and one for each kind."""

_LOCK = ".lock"
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


def folder_of(kind: str, digest: str) -> Path:
    """Where the programs of a kind are that were made from what has this digest.

    Raises:
        CacheError: this user has no folder for caches.
    """
    return _base() / OURS / kind / digest


def make(folder: Path) -> None:
    """Make a `folder_of` with those above it.

    Raises:
        CacheError: it cannot be made, or not be written.
    """
    try:
        folder.parents[LEVELS].mkdir(parents=True, exist_ok=True)
        for each in reversed((folder, *folder.parents[:LEVELS])):
            each.mkdir(mode=0o700, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise CacheError(f"{folder}: cannot be written ({error.strerror})") from None


def check_trust(folder: Path, names: Sequence[str]) -> None:
    """See that nobody else can put a file into a `folder_of`, nor exchange it or a folder above it.

    Args:
        folder: it.
        names: of files in it, which may be there.

    Raises:
        CacheError: somebody can, or it is not there.
    """
    ours = (folder, *folder.parents[:LEVELS])
    try:
        files = [folder / name for name in names if os.path.lexists(folder / name)]
        for each in (*ours, *files):
            found = each.lstat()
            if found.st_uid != os.geteuid() or found.st_mode & _OTHERS_WRITE or stat.S_ISLNK(found.st_mode):
                raise CacheError(f"{each}: somebody else can write it, so it is not used; remove it")
        for each in ours[-1].resolve().parents:
            found = each.stat()
            shared = found.st_mode & stat.S_IWOTH and not found.st_mode & stat.S_ISVTX
            if shared or found.st_uid not in (0, os.geteuid()):
                raise CacheError(f"{each}: somebody else can write it, so nothing in it is used")
    except OSError as error:
        raise CacheError(f"{error.filename}: cannot be read ({error.strerror})") from None


@contextlib.contextmanager
def one_at_a_time(folder: Path) -> Iterator[None]:
    """Let the processes that want to build into ``folder`` do so one after the other.

    A lock that cannot be had, on some network drives, is done without: two builds do not harm each other.
    """
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError, ImportError):
            import fcntl  # which Windows lacks, and a wheel is built without

            # Of the process, not of the open file: a process that is forked meanwhile does not hold it.
            file = stack.enter_context((folder / _LOCK).open("wb"))
            fcntl.lockf(file, fcntl.LOCK_EX)
        yield


def replace(path: Path, content: bytes, mode: int) -> None:
    """Write a file by a rename: a reader finds the old, the new, or none.

    Raises:
        CacheError: the folder cannot be written.
    """
    temporary: str | None = None
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            os.fchmod(file.fileno(), mode)
        Path(temporary).replace(path)
        temporary = None
    except OSError as error:
        raise CacheError(f"{path}: cannot be written ({error.strerror})") from None
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                Path(temporary).unlink()


def c_library() -> str:
    """Which C library is here: a cache may be shared by machines that have others."""
    try:
        return os.confstr("CS_GNU_LIBC_VERSION") or ""
    except (OSError, ValueError):
        return ""


def _base() -> Path:
    said = os.environ.get("XDG_CACHE_HOME", "")
    if Path(said).is_absolute():
        return Path(said)
    try:
        return Path.home() / ".cache"
    except RuntimeError:
        raise CacheError("this user has no home folder, so no cache") from None
