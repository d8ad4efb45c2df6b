"""Whether the fused kernels are used: the variable LTC_EDGE_KERNEL, or for a while what a program says.

``auto``, which holds where nothing is said, uses them where they can be had. ``fused`` makes it an error that
they cannot. ``torch`` never loads them.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import importlib.util
import os
from collections.abc import Iterator

from ltc_edge.errors import InputError, KernelError
from ltc_edge.kernels.library import LOGGER, load, load_or_raise

VARIABLE = "LTC_EDGE_KERNEL"
MODES = ("auto", "fused", "torch")
_NO_TRITON = "Triton is not installed, which torch's builds for CUDA bring (pip install triton)"

_said: str | None = None


def mode() -> str:
    """One of `MODES`.

    Raises:
        InputError: the variable holds something else.
    """
    return _of_environment() if _said is None else _said


@contextlib.contextmanager
def kernel(name: str) -> Iterator[None]:
    """Use another mode for a while, in the whole process.

    Raises:
        InputError: ``name`` is none of `MODES`.
    """
    global _said
    before, _said = _said, _checked(name, "a kernel")
    try:
        yield
    finally:
        _said = before


def fused_library() -> ctypes.CDLL | None:
    """The library to compute with, or None: compute with torch.

    Raises:
        InputError: the variable is none of `MODES`.
        KernelError: the kernels are demanded, and cannot be had.
    """
    chosen = mode()
    if chosen == "torch":
        return None
    return load_or_raise() if chosen == "fused" else load()


def has_gpu_kernel() -> bool:
    """Whether to compute on GPUs with the kernel for them; that there is none is logged once.

    Raises:
        InputError: the variable is none of `MODES`.
        KernelError: the kernels are demanded, and there is none.
    """
    chosen = mode()
    if chosen == "torch":
        return False
    if importlib.util.find_spec("triton") is not None:
        return True
    if chosen == "fused":
        raise KernelError(f"there is no fused kernel for the GPU here: {_NO_TRITON}")
    _warn_once()
    return False


@functools.cache
def _warn_once() -> None:
    LOGGER.warning(
        "training on the GPU without its fused kernel, slower: %s; LTC_EDGE_KERNEL=torch asks for it",
        _NO_TRITON,
    )


@functools.cache
def _of_environment() -> str:
    return _checked(os.environ.get(VARIABLE) or MODES[0], VARIABLE)


def _checked(name: str, what: str) -> str:
    if name not in MODES:
        raise InputError(f"{what} is one of {', '.join(MODES)}, not {name!r}")
    return name
