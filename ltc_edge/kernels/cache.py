"""Where libraries that were compiled on first use are kept, if that place can be trusted.

What lies there is loaded as code, so nobody else may be able to put anything there.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from ltc_edge.errors import KernelError
from ltc_edge.kernels.compile import Compiler
from ltc_edge.kernels.library_file import LIBRARY, RECORD

_OURS = ("ltc-edge", "kernels")
_LOCK = ".lock"
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


def place(sources: str, compiler: Compiler) -> Path:
    """The folder of a library: its name holds the sources, the compiler and the machine.

    Raises:
        KernelError: this user has no folder for caches.
    """
    made_with = (sources, *compiler.command, compiler.version, compiler.target, _c_library())
    return _base().joinpath(*_OURS, hashlib.sha256("\n".join(made_with).encode()).hexdigest()[:32])


def make(folder: Path) -> None:
    """Make a `place` with the folders above it.

    Raises:
        KernelError: it cannot be made, or not be written.
    """
    base = folder.parents[len(_OURS)]
    try:
        base.mkdir(parents=True, exist_ok=True)
        for each in reversed((folder, *folder.parents[: len(_OURS)])):
            each.mkdir(mode=0o700, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise KernelError(f"{folder}: cannot be written ({error.strerror})") from None


def check_trust(folder: Path) -> None:
    """See that nobody else can put a file into a `place`, nor exchange it or a folder above it.

    Raises:
        KernelError: somebody can, or it is not there.
    """
    ours = (folder, *folder.parents[: len(_OURS)])
    try:
        files = [folder / name for name in (LIBRARY, RECORD) if (folder / name).exists()]
        for each in (*ours, *files):
            found = each.lstat()
            if found.st_uid != os.geteuid() or found.st_mode & _OTHERS_WRITE or stat.S_ISLNK(found.st_mode):
                raise KernelError(f"{each}: somebody else can write it, so it is not used; remove it")
        for each in ours[-1].resolve().parents:
            found = each.stat()
            shared = found.st_mode & stat.S_IWOTH and not found.st_mode & stat.S_ISVTX
            if shared or found.st_uid not in (0, os.geteuid()):
                raise KernelError(f"{each}: somebody else can write it, so nothing in it is used")
    except OSError as error:
        raise KernelError(f"{error.filename}: cannot be read ({error.strerror})") from None


@contextlib.contextmanager
def one_at_a_time(folder: Path) -> Iterator[None]:
    """Let the processes that want to build into ``folder`` do so one after the other.

    A lock that cannot be had, on some network drives, is done without: two builds do not harm each other.
    """
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):
            # Of the process, not of the open file: a process that is forked meanwhile does not hold it.
            file = stack.enter_context((folder / _LOCK).open("wb"))
            fcntl.lockf(file, fcntl.LOCK_EX)
        yield


def _base() -> Path:
    said = os.environ.get("XDG_CACHE_HOME", "")
    if Path(said).is_absolute():
        return Path(said)
    try:
        return Path.home() / ".cache"
    except RuntimeError:
        raise KernelError("this user has no home folder, so no cache") from None


def _c_library() -> str:
    """Which C library is here: a folder may be shared by machines that have others."""
    try:
        return os.confstr("CS_GNU_LIBC_VERSION") or ""
    except (OSError, ValueError):
        return ""
