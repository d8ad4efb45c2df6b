"""What an engine and the driver take beside the work itself."""

from __future__ import annotations

import contextlib
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ltc_edge.sweep.driver import run_sweep
from ltc_edge.sweep.engines.engine import Engine
from ltc_edge.sweep.engines.processes import Processes
from ltc_edge.sweep.engines.ray import RayEngine
from ltc_edge.sweep.engines.ray_options import RayOptions
from ltc_edge.sweep.measurement import MeasurementPlan
from ltc_edge.sweep.work import Outcome, Work
from ltc_edge.training.sources import TaskSource
from sweep_bench.toy_study import Nobody, toy_plan, toy_study

KINDS = ("local", "ray", "ray, runs sent as bytes")


@contextlib.contextmanager
def engine_of(kind: str, trials: Path, workers: int, do: str) -> Iterator[Engine]:
    """An engine of one of `KINDS`, on this machine."""
    if kind == "local":
        engine: Any = Processes(trials, workers, do)
    else:
        engine = RayEngine(trials, RayOptions(workers=workers, memory=1 << 28), do)
        if kind != "ray":
            engine._driver.mark.unlink()
    try:
        yield engine
    finally:
        engine.close()


def measure_engine(kind: str, trials: int, workers: int) -> dict[str, Any]:
    """Empty trials per second, and the gaps between replicates of 0.2 s, through the driver and a journal.

    What came before every worker had begun is left out: starting and importing are once for a sweep.
    """
    empty = _warm(_run(kind, trials, workers, "empty"), workers)
    short = _warm(_run(kind, trials // 4, workers, "short"), workers)
    ended = sorted(outcome.seconds["ended"] for outcome in empty)
    gaps = gaps_of(short)
    return {
        "empty_trials_per_s": round((len(ended) - 1) / (ended[-1] - ended[0]), 1),
        "gap_s": {f"p{p}": round(float(np.percentile(gaps, p)), 4) for p in (50, 90)},
        "gaps": len(gaps),
    }


def _run(kind: str, trials: int, workers: int, what: str) -> list[Outcome]:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder, "trials")
        place.mkdir()
        study = toy_study(toy_plan(trials, seeds=1), Path(folder))
        with engine_of(kind, place, workers, f"sweep_bench.replicates:{what}") as engine:
            run_sweep(study, engine, place, trials, Nobody())
    return [outcome for told in study.told for outcome in told.outcomes]


def _warm(outcomes: list[Outcome], workers: int) -> list[Outcome]:
    first: dict[float, float] = {}
    for outcome in outcomes:
        worker, began = outcome.seconds["worker"], outcome.seconds["began"]
        first[worker] = min(began, first.get(worker, began))
    assert len(first) == workers, f"{len(first)} workers of {workers} took part"
    return [outcome for outcome in outcomes if outcome.seconds["began"] >= max(first.values())]


def gaps_of(outcomes: list[Outcome]) -> list[float]:
    """Seconds between the end of a replicate and the beginning of the next by the same worker."""
    by_worker: defaultdict[float, list[tuple[float, float]]] = defaultdict(list)
    for outcome in outcomes:
        seconds = outcome.seconds
        by_worker[seconds["worker"]].append((seconds["began"], seconds["ended"]))
    return [
        after[0] - before[1]
        for times in by_worker.values()
        for before, after in zip(sorted(times), sorted(times)[1:], strict=False)
    ]


def measure_trainings(task: str, replicates: int, rounds: int, kind: str) -> dict[str, Any]:
    """Trials per hour of one and of two workers, interleaved: equal trainings but for their seeds."""
    settings = {"cell": "ltc", "wiring": "dense", "units": 8, "unfolds": 2, "format": "c-float32"}
    measure = MeasurementPlan(TaskSource(task), objectives=("return", "parameters")).to_json()
    rates: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(rounds):
        for workers in rates:
            with tempfile.TemporaryDirectory() as folder:
                rates[workers].append(
                    _trainings_per_hour(kind, Path(folder), workers, replicates, settings, measure)
                )
                print(f"{workers} workers: {rates[workers][-1]:.1f} an hour", file=sys.stderr)
    ratios = [two / one for one, two in zip(rates[1], rates[2], strict=True)]
    return {"task": task, "engine": kind, "replicates": replicates, "per_hour": rates, "ratios": ratios,
            "ratio": float(np.median(ratios))}  # fmt: skip


def _trainings_per_hour(
    kind: str, trials: Path, workers: int, replicates: int, settings: dict[str, Any], measure: dict[str, Any]
) -> float:
    do = "ltc_edge.sweep.replicate:do_replicate"
    with engine_of(kind, trials, workers, do) as engine:
        began = time.monotonic()
        for seed in range(replicates):
            engine.submit(Work(0, seed, settings, measure))
        ended: list[Any] = []
        while len(ended) < replicates:
            ended += engine.wait()
        assert all(isinstance(one, Outcome) and one.state == "complete" for one in ended), ended
        return 3600 * replicates / (time.monotonic() - began)
