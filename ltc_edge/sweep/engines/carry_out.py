"""What a worker does with a piece of work, whichever engine it works for."""

from __future__ import annotations

import errno
import importlib
from collections.abc import Callable
from pathlib import Path

from ltc_edge.errors import InputError, LtcEdgeError, OutputError
from ltc_edge.sweep.work import Outcome, Work, outcome_file_of

Do = Callable[[Work, Path], Outcome]
"""Does a replicate in the folder of trials."""

DO_REPLICATE = "ltc_edge.sweep.replicate:do_replicate"

MACHINE_FAULTS = (LtcEdgeError,)
"""What is wrong with a machine, or with what all trials share: every further trial would fail of it."""

_FULL_OR_LOCKED = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO)


def load(name: str) -> Do:
    """The function that ``name``, as ``module:function``, names.

    Raises:
        InputError: there is no such function.
    """
    module, _, function = name.partition(":")
    try:
        do: Do = getattr(importlib.import_module(module), function)
    except (ImportError, ValueError, AttributeError) as error:
        raise InputError(f"{name}: does no replicates ({error})") from None
    return do


def carry_out(do: Do, work: Work, trials: Path) -> Outcome:
    """The outcome of ``work``, which lies in ``trials`` when this returns.

    What has an outcome is not done again. A defect that one point of the space uncovers is an outcome too, a
    failed one: it must not cost the others.

    Raises:
        LtcEdgeError: the fault is not the trial's, but of the machine or of what all trials share: a full
            disk, a missing tool, a task that cannot be loaded. There is no outcome.
        ControllerFileError: the outcome that is there is damaged.
        MemoryError: there was not enough; another time, or elsewhere, there may be.
    """
    path = outcome_file_of(trials, work)
    if path.exists():
        return Outcome.read(path, work)
    try:
        outcome = do(work, trials)
    except (*MACHINE_FAULTS, MemoryError):
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno in _FULL_OR_LOCKED:
            raise OutputError(f"{error.filename or trials}: {error.strerror}") from None
        said = " ".join(str(error).split())
        outcome = Outcome(work.trial, work.seed, "failed", reason=f"{type(error).__name__}: {said}")
    if not path.exists():
        _make(path.parent)
        outcome.write(path)
    return outcome


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be made ({error.strerror or error})") from None
