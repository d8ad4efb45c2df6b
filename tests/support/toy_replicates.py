"""Replicates that train nothing, for tests of engines: what they do is in their settings.

seconds   how long they take
log       a folder in which every execution leaves a file, named after the replicate
behaviour  what else happens: a key of `BEHAVIOURS`
"""

from __future__ import annotations

import dataclasses
import os
import random
import signal
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from ltc_edge.errors import MissingExtraError
from ltc_edge.sweep.work import Outcome, Work, run_folder_of


def do(work: Work, trials: Path) -> Outcome:
    """Leave a run folder of two files, and figures that depend on nothing but ``work``."""
    settings = work.settings
    if "log" in settings:
        name = f"{work.trial}.{work.seed}.{os.getppid()}."
        handle, _ = tempfile.mkstemp(dir=settings["log"], prefix=name)
        os.close(handle)
    BEHAVIOURS[settings.get("behaviour", "works")]()
    time.sleep(settings.get("seconds", 0.0))
    folder = run_folder_of(trials, work)
    (folder / "data").mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(f"{work.name}\n")
    (folder / "data" / "round").write_bytes(bytes(range(256)) * (1 + work.trial))
    figures = {"return": 100.0 * work.trial + work.seed, "threads": float(os.environ["OMP_NUM_THREADS"])}
    return Outcome(work.trial, work.seed, "complete", figures=figures)


def search(work: Work, trials: Path) -> Outcome:
    """A replicate of a real search space: a return that grows with units, noisily, and their number."""
    log = trials.parent / "log"
    log.mkdir(exist_ok=True)
    units = int(work.settings["units"])
    outcome = do(dataclasses.replace(work, settings={"seconds": 0.2, "log": str(log)}), trials)
    noise = random.Random(f"{sorted(work.settings.items())} {work.seed}").random()
    return dataclasses.replace(
        outcome, figures={"return": units + noise, "parameters": 10.0 * units}, seconds={"train": 0.2}
    )


class Execution(NamedTuple):
    """That a replicate was begun; ``node`` is the process that the worker was started by."""

    trial: int
    seed: int
    node: int


def executions_in(log: Path) -> list[Execution]:
    """What was begun, as often as it was."""
    return [Execution(*map(int, path.name.split(".")[:3])) for path in log.iterdir()]


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _run_out_of_memory() -> None:
    raise MemoryError("no more of it")


def _miss_a_package() -> None:
    raise MissingExtraError("torch is not installed")


def _fail() -> None:
    raise ZeroDivisionError("a defect")


BEHAVIOURS: dict[str, Callable[[], None]] = {
    "works": lambda: None,
    "dies": _die,
    "memory": _run_out_of_memory,
    "package": _miss_a_package,
    "defect": _fail,
}
