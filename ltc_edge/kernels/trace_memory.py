"""Memory for traces that outlives them: the next pass writes over what the last one is done with.

A trace is megabytes, and new in every pass of a training. The C library's allocator may give so large a piece
back to the system, which clears every page of the next one: for small circuits that took as long as half of
the forward pass.
"""

from __future__ import annotations

import weakref
from collections import deque

import torch
from torch import Tensor

LEAST_BYTES = 1 << 20
"""Smaller traces are left to the allocator, which keeps such pieces itself."""

_kept: deque[Tensor] = deque(maxlen=1)
"""The memory that was given back last. Its operations are atomic: traces die in any thread, also during a
collection of garbage, where waiting for a lock could be waiting for oneself."""


def trace_of(size: int) -> Tensor:
    """Room for ``size`` bytes, uint8, with anything in it.

    When nothing holds its memory any more, neither the tensor nor a view of it, that memory is kept for the
    next one, in place of what was kept before.
    """
    if size < LEAST_BYTES:
        return torch.empty(size, dtype=torch.uint8)
    memory = _take()
    if memory is None or memory.numel() < size:
        del memory  # before there is more of it
        memory = torch.empty(size, dtype=torch.uint8)
    view = memory.numpy()[:size]
    # Not at exit: a module that is gone keeps nothing.
    weakref.finalize(view, _kept.append, memory).atexit = False
    return torch.from_numpy(view)


def forget() -> None:
    """Let go of what is kept."""
    _kept.clear()


def _take() -> Tensor | None:
    try:
        return _kept.pop()
    except IndexError:
        return None
