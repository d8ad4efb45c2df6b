"""What the study takes as it grows: asking, telling, loading, and bytes."""

from __future__ import annotations

import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ltc_edge.sweep.plan import Sampler
from ltc_edge.sweep.study import Study
from ltc_edge.sweep.work import Outcome, Work
from sweep_bench.replicates import figures_of
from sweep_bench.toy_study import toy_plan, toy_study

LAST = 40
"""Trials at the end of a study over which times are means."""


def measure_storage(kind: str, sampler: Sampler, sizes: list[int]) -> list[dict[str, Any]]:
    """A study that grows through ``sizes``, asked and told by the driver's own calls; processor seconds."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        url = None if kind == "journal" else f"sqlite:///{place / 'study.db'}"
        plan = toy_plan(max(sizes), sampler, url)
        study = toy_study(plan, place)
        rows = []
        for size in sorted(sizes):
            asks, tells, fsync_s = _grow(study, size)
            began = time.process_time()
            study = toy_study(replace(plan, trials=max(sizes)), place)
            load_s = time.process_time() - began
            stored = sum(path.stat().st_size for path in place.iterdir() if path.is_file())
            rows.append({
                "storage": kind, "sampler": sampler, "trials": size,
                "ask_s": round(float(np.mean(asks[-LAST:])), 5),
                "tell_s": round(float(np.mean(tells[-LAST:])), 5),
                "wall_per_trial_s": round(fsync_s, 5),
                "load_s": round(load_s, 3),
                "bytes_per_trial": round(stored / size),
            })  # fmt: skip
        return rows


def _grow(study: Study, size: int) -> tuple[list[float], list[float], float]:
    """Ask and tell until ``size`` trials are told."""
    asks, tells = [], []
    began, before = time.monotonic(), len(study.told)
    while len(study.told) < size:
        start = time.process_time()
        while study.ask(size) is not None:
            asks.append(time.process_time() - start)
            start = time.process_time()
        asked = study.asked[len(study.told)]
        works = [Work(asked.number, seed, asked.settings, {}) for seed in range(study.plan.seeds)]
        outcomes = [Outcome(work.trial, work.seed, "complete", figures_of(work)) for work in works]
        start = time.process_time()
        study.tell(outcomes)
        tells.append(time.process_time() - start)
    return asks, tells, (time.monotonic() - began) / (size - before)
