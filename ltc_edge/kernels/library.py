"""The library of fused kernels in this process: found, or compiled on first use, and loaded once.

It is looked for in the package, then in the user's cache; then it is compiled into the cache, or where that
cannot be written for this process alone. Where none of this succeeds one line of the log says why.
"""

from __future__ import annotations

import contextlib
import ctypes
import logging
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ltc_edge.errors import CacheError, InputError, KernelError
from ltc_edge.kernels import cache, library_file
from ltc_edge.kernels.compile import Build, Compiler, ask_compiler, build, digest_of, read_sources, scratch

ABI = 2
"""``LTC_EDGE_KERNELS_ABI`` of the header that the callers here were written for."""

LOGGER = logging.getLogger("ltc_edge")
PACKAGE = Path(__file__).parent


@dataclass(eq=False)
class _Outcome:
    library: ctypes.CDLL | None
    reason: str = ""
    told: bool = False


_lock = threading.Lock()
_outcome: _Outcome | None = None


def load() -> ctypes.CDLL | None:
    """The library, or None where there is none to be had, which is logged once."""
    outcome = _load_once()
    if outcome.library is None:
        with _lock:
            told, outcome.told = outcome.told, True
        if not told:
            LOGGER.warning(
                "training without the fused kernels, which is slower: %s; LTC_EDGE_KERNEL=torch asks for it",
                outcome.reason,
            )
    return outcome.library


def load_or_raise() -> ctypes.CDLL:
    """The library.

    Raises:
        KernelError: there is none to be had.
    """
    outcome = _load_once()
    if outcome.library is None:
        raise KernelError(f"there are no fused kernels here: {outcome.reason}")
    return outcome.library


def find(package: Path) -> ctypes.CDLL:
    """Find or compile the library of the package in a folder, and load it.

    Raises:
        KernelError: neither is possible, with every reason why not.
    """
    sources, digest, reasons = None, None, []
    try:
        sources = read_sources(package / "source")
        digest = digest_of(sources)
    except KernelError as error:
        reasons.append(str(error))
    try:
        return open_library(library_file.find(package, digest))
    except KernelError as error:
        if (package / library_file.LIBRARY).exists():
            reasons.append(str(error))
    if sources is not None and digest is not None:
        try:
            return _cached_or_compiled(sources, digest)
        except (KernelError, CacheError) as error:
            reasons.append(str(error))
    raise KernelError("; ".join(reasons))


def open_library(path: Path) -> ctypes.CDLL:
    """Load one file.

    Raises:
        KernelError: it is for another processor or system, or of another version.
    """
    try:
        library = ctypes.CDLL(str(path))
    except OSError as error:
        raise KernelError(f"{path} cannot be loaded ({' '.join(str(error).split())})") from None
    try:
        abi, isas, isa, use = (
            getattr(library, f"ltc_edge_kernels_{name}") for name in ("abi", "isas", "isa", "use")
        )
    except AttributeError:
        raise KernelError(f"{path} is not a library of kernels") from None
    abi.argtypes, isas.argtypes, isa.argtypes, use.argtypes = (), (), (), (ctypes.c_char_p,)
    abi.restype, isas.restype, isa.restype, use.restype = (
        ctypes.c_int32,
        ctypes.c_char_p,
        ctypes.c_char_p,
        ctypes.c_int32,
    )
    if (found := abi()) != ABI:
        raise KernelError(f"{path} is of version {found}, not of {ABI} as needed; install ltc-edge again")
    return library


def instruction_sets(library: ctypes.CDLL) -> tuple[str, ...]:
    """Names of those that are built in and that this processor has, best first."""
    names: bytes = library.ltc_edge_kernels_isas()
    return tuple(names.decode("ascii").split(","))


@contextlib.contextmanager
def instruction_set(library: ctypes.CDLL, name: str) -> Iterator[None]:
    """Use an instruction set for a while, in the whole process.

    Raises:
        InputError: the library has none of this name that runs here.
    """
    before: bytes = library.ltc_edge_kernels_isa()
    if library.ltc_edge_kernels_use(name.encode()) != 0:
        known = ", ".join(instruction_sets(library))
        raise InputError(f"the kernels have no instruction set {name!r} on this processor, only {known}")
    try:
        yield
    finally:
        library.ltc_edge_kernels_use(before)


def _load_once() -> _Outcome:
    """What came of loading, now or before."""
    global _outcome
    with _lock:
        if _outcome is None:
            try:
                _outcome = _Outcome(find(PACKAGE))
            except KernelError as error:
                _outcome = _Outcome(None, str(error))
        return _outcome


def _after_fork() -> None:
    """Another thread may have held the lock when this process was forked: it does not exist here."""
    global _lock
    _lock = threading.Lock()


os.register_at_fork(after_in_child=_after_fork)


def _cached_or_compiled(sources: dict[str, bytes], digest: str) -> ctypes.CDLL:
    compiler = ask_compiler()
    try:
        folder = cache.place(digest, compiler)
        found = _cached(folder, digest)
        if found is None:
            cache.make(folder)
            cache.check_trust(folder)
    except CacheError as unusable:
        made = _compile(sources, compiler, f", for this process alone: {unusable}")
        with scratch() as private:  # once loaded it needs no file
            return open_library(library_file.publish(made, Path(private)))
    if found is None:
        with cache.one_at_a_time(folder):
            # Another process may have been faster.
            found = _cached(folder, digest) or library_file.publish(_compile(sources, compiler), folder)
    return open_library(found)


def _cached(folder: Path, digest: str) -> Path | None:
    """A library that is there, whole and up to date.

    Raises:
        CacheError: nothing there can be trusted.
    """
    if not os.access(folder, os.F_OK):
        return None
    cache.check_trust(folder)
    try:
        return library_file.find(folder, digest)
    except KernelError:
        return None


def _compile(sources: dict[str, bytes], compiler: Compiler, why: str = "") -> Build:
    LOGGER.warning("compiling the fused kernels with %s, half a minute%s", compiler.version, why)
    made = build(sources, compiler)
    if made.left_out:
        LOGGER.warning("the compiler does not know %s: the kernels lack it", ", ".join(made.left_out))
    return made
