"""Where the library of kernels that was compiled on first use is kept, if that place can be trusted."""

from __future__ import annotations

import hashlib
from pathlib import Path

from ltc_edge import private_cache
from ltc_edge.kernels.compile import Compiler
from ltc_edge.kernels.library_file import LIBRARY, RECORD
from ltc_edge.private_cache import make, one_at_a_time

__all__ = ["check_trust", "make", "one_at_a_time", "place"]


def place(sources: str, compiler: Compiler) -> Path:
    """The folder of a library: its name holds the sources, the compiler and the machine.

    Raises:
        CacheError: this user has no folder for caches.
    """
    made_with = (sources, *compiler.command, compiler.version, compiler.target, private_cache.c_library())
    return private_cache.folder_of("kernels", hashlib.sha256("\n".join(made_with).encode()).hexdigest()[:32])


def check_trust(folder: Path) -> None:
    """See that nobody else can put a library into a `place`.

    Raises:
        CacheError: somebody can, or it is not there.
    """
    private_cache.check_trust(folder, (LIBRARY, RECORD))
