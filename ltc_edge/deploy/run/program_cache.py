"""Loop programs that are kept from one run to the next, so that only the first one compiles.

A program is found by the digest of all that it depends on: every source, the variables of make, the compiler,
the C library that is linked into it, and the environment that compilers and this Makefile look at. Beside it
lies its own digest, which is compared before it is run: one that was cut off or written over is built again.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from ltc_edge import private_cache
from ltc_edge.deploy.linux.build import PROGRAM
from ltc_edge.errors import CacheError
from ltc_edge.kernels.compile import Compiler

KIND = "loops"
DIGEST = f"{PROGRAM}.sha256"
MOST_KEPT = 32
"""Programs of a megabyte each; those that were used longest ago go."""

STALE_S = 3600.0
"""Nothing that was used within this time goes: another process may be about to run it."""

MAX_BYTES = 1 << 26
QUESTION_S = 30.0
ENVIRONMENT = (
    *("OPTIMISATION", "LINK", "PERIOD_S", "SELFTEST", "MAKEFLAGS", "SOURCE_DATE_EPOCH"),
    *("CPATH", "C_INCLUDE_PATH", "LIBRARY_PATH", "COMPILER_PATH", "GCC_EXEC_PREFIX"),
)
"""What the Makefile takes from the environment where it is not told, and what compilers do."""


def kept(
    tree: Mapping[str, bytes], variables: Sequence[str], compiler: Compiler, build: Callable[[], bytes]
) -> Path:
    """The program of these sources in the cache of this user; built and kept there if it is not.

    Args:
        tree: its sources, contents by path.
        variables: of make.
        compiler: what ``build`` compiles with.
        build: makes it.

    Raises:
        CacheError: the cache cannot be written, or somebody else could have put a program there.
        InputError, MissingToolError: of ``build``.
    """
    folder = private_cache.folder_of(KIND, digest_of(tree, variables, compiler))
    found = _found(folder)
    if found is None:
        private_cache.make(folder)
        private_cache.check_trust(folder, (PROGRAM, DIGEST))
        with private_cache.one_at_a_time(folder):
            found = _found(folder)  # another process may have been faster
            if found is None:
                content = build()
                private_cache.replace(folder / PROGRAM, content, 0o700)
                said = hashlib.sha256(content).hexdigest().encode()
                private_cache.replace(folder / DIGEST, said, 0o600)
                found = folder / PROGRAM
        _forget(folder.parent)
    with suppress(OSError):
        os.utime(folder / DIGEST)  # when it was used last
    return found


def digest_of(tree: Mapping[str, bytes], variables: Sequence[str], compiler: Compiler) -> str:
    """Of all that a program depends on."""
    surroundings = [(name, os.environ.get(name)) for name in ENVIRONMENT]
    made_with = (
        compiler,
        _static_library(compiler),
        private_cache.c_library(),
        tuple(variables),
        surroundings,
    )
    state = hashlib.sha256(repr(made_with).encode())
    for path, content in sorted(tree.items()):
        state.update(f"{path} {len(content)}\n".encode())
        state.update(content)
    return state.hexdigest()[:32]


def _static_library(compiler: Compiler) -> tuple[str, int, int] | None:
    """Which file of the C library is linked in, its size and its time: updates do not change its version."""
    words = (*compiler.command, "-print-file-name=libc.a")
    try:
        said = subprocess.run(words, capture_output=True, text=True, timeout=QUESTION_S).stdout.strip()
        found = Path(said).stat()
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None
    return said, found.st_size, found.st_mtime_ns


def _found(folder: Path) -> Path | None:
    """A program that is there and whole.

    Raises:
        CacheError: nothing there can be trusted.
    """
    if not os.access(folder, os.F_OK):
        return None
    private_cache.check_trust(folder, (PROGRAM, DIGEST))
    try:
        with (folder / PROGRAM).open("rb") as file:
            content = file.read(MAX_BYTES)
        said = (folder / DIGEST).read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CacheError(f"{error.filename}: cannot be read ({error.strerror})") from None
    return folder / PROGRAM if hashlib.sha256(content).hexdigest().encode() == said else None


def _forget(programs: Path) -> None:
    """Remove what was used longest ago, where there are too many."""
    used = []
    with suppress(OSError):
        for folder in programs.iterdir():
            with suppress(OSError):
                used.append(((folder / DIGEST).stat().st_mtime, folder))
    oldest_first = sorted(used)
    for used_at, folder in oldest_first[: max(0, len(oldest_first) - MOST_KEPT)]:
        if time.time() - used_at > STALE_S:
            shutil.rmtree(folder, ignore_errors=True)
