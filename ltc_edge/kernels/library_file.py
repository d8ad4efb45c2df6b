"""The library of kernels as files: the shared library, and beside it a record that says what it is.

The record holds the digests of the sources and of the library. One that was cut off or written over is
noticed before it is loaded, when it could crash the process, and so is one whose sources have changed.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

from ltc_edge.errors import CacheError, KernelError
from ltc_edge.kernels.compile import Build
from ltc_edge.private_cache import replace

LIBRARY = "libltc_edge_kernels" + (".dylib" if sys.platform == "darwin" else ".so")
RECORD = "libltc_edge_kernels.json"
MAX_BYTES = 1 << 26
_MODE = 0o644


def publish(build: Build, folder: Path) -> Path:
    """Write a library into ``folder``, each file by a rename: a reader finds the old, the new, or neither.

    Raises:
        KernelError: the folder cannot be written.
    """
    record = {
        "library": hashlib.sha256(build.content).hexdigest(),
        "sources": build.sources,
        "compiler": build.compiler.version,
        "target": build.compiler.target,
        "instruction_sets": list(build.instruction_sets),
    }
    try:
        replace(folder / LIBRARY, build.content, _MODE)
        replace(folder / RECORD, (json.dumps(record, indent=1) + "\n").encode(), _MODE)
    except CacheError as error:
        raise KernelError(str(error)) from None
    return folder / LIBRARY


def withdraw(folder: Path) -> None:
    """Remove what `publish` wrote, if anything."""
    for name in (RECORD, LIBRARY):
        (folder / name).unlink(missing_ok=True)


def find(folder: Path, sources: str | None) -> Path:
    """The library in ``folder``, which is whole, and made from ``sources`` where these are known.

    Raises:
        KernelError: there is none, or not such a one.
    """
    library = folder / LIBRARY
    try:
        with library.open("rb") as file:
            content = file.read(MAX_BYTES)
        record = json.loads((folder / RECORD).read_bytes())
        made, from_sources = record["library"], record["sources"]
    except FileNotFoundError:
        raise KernelError(f"{library} is not there, or has no record beside it") from None
    except OSError as error:
        raise KernelError(f"{library} cannot be read ({error.strerror})") from None
    except (ValueError, TypeError, KeyError):
        raise KernelError(f"{folder / RECORD} is damaged") from None
    if hashlib.sha256(content).hexdigest() != made:
        raise KernelError(f"{library} is damaged: it is not what its record says")
    if sources is not None and sources != from_sources:
        raise KernelError(f"{library} was made from other sources")
    return library
