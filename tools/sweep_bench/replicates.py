"""Replicates that train nothing, but say who did them and when."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np

from ltc_edge.errors import require
from ltc_edge.sweep.replicate import do_replicate
from ltc_edge.sweep.work import Outcome, Work, run_folder_of

RUN_BYTES = 100_000
MEAN_S = 1.0


def empty(work: Work, trials: Path) -> Outcome:
    """Nothing at all."""
    return _outcome(work, trials, 0.0)


def short(work: Work, trials: Path) -> Outcome:
    """0.2 s, and a run folder as large as real ones."""
    return _outcome(work, trials, 0.2, RUN_BYTES)


def uneven(work: Work, trials: Path) -> Outcome:
    """As long as `duration_of` says."""
    return _outcome(work, trials, duration_of(work.trial, work.seed))


def do_share(works: list[Work], trials: Path) -> list[Outcome]:
    """Real replicates one after another, on one thread as the engines have it."""
    require("torch", "train").set_num_threads(1)
    return [do_replicate(work, trials) for work in works]


def duration_of(trial: int, seed: int) -> float:
    """Seconds of `uneven`, lognormal with a coefficient of variation of 0.53."""
    return float(MEAN_S * np.random.default_rng((trial, seed)).lognormal(-0.125, 0.5))


def _outcome(work: Work, trials: Path, seconds: float, size: int = 0) -> Outcome:
    began = time.monotonic()
    if size:
        folder = run_folder_of(trials, work)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "run").write_bytes(np.random.default_rng(work.trial).bytes(size))
    time.sleep(max(0.0, began + seconds - time.monotonic()))
    figures = figures_of(work)
    times = {"began": began, "ended": time.monotonic(), "worker": float(os.getpid())}
    return Outcome(work.trial, work.seed, "complete", figures, seconds=times)


def figures_of(work: Work) -> dict[str, float]:
    """A return that grows with units, noisily, and is dear."""
    units = float(work.settings["units"])
    noise = float(np.random.default_rng((work.trial, work.seed)).normal())
    return {"return": units + noise, "parameters": units**2}
