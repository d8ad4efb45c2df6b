"""What an engine and the driver take beside the work itself."""

from __future__ import annotations

import contextlib
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
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
from sweep_bench.replicates import do_share
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
    """Trials per hour of one and of two workers, interleaved: equal trainings but for their seeds.

    `machine` is the same by one and by two processes that know nothing of sweeps, each with its share of the
    seeds from the start: what this machine gives a second process. Two threads of one core give less than 2.
    """
    settings = {"cell": "ltc", "wiring": "dense", "units": 8, "unfolds": 2, "format": "c-float32"}
    measure = MeasurementPlan(TaskSource(task), objectives=("return", "parameters")).to_json()
    works = [Work(0, seed, settings, measure) for seed in range(replicates)]
    ways = {"sweep": partial(_by_engine, kind), "machine": _by_themselves}
    rates: dict[str, dict[int, list[float]]] = {way: {1: [], 2: []} for way in ways}
    for _ in range(rounds):
        for workers in (1, 2):
            for way, do in ways.items():
                with tempfile.TemporaryDirectory() as folder:
                    began = time.monotonic()
                    ended = do(Path(folder), workers, works)
                    assert all(isinstance(one, Outcome) and one.state == "complete" for one in ended), ended
                    rates[way][workers].append(3600 * replicates / (time.monotonic() - began))
                print(f"{way}, {workers} workers: {rates[way][workers][-1]:.1f} an hour", file=sys.stderr)
    ratios = {way: np.divide(rate[2], rate[1]) for way, rate in rates.items()}
    return {
        "task": task,
        "engine": kind,
        "replicates": replicates,
        "per_hour": rates,
        "ratio": {way: float(np.median(each)) for way, each in ratios.items()},
        "ratio_over_machine": float(np.median(ratios["sweep"] / ratios["machine"])),
    }


def _by_engine(kind: str, trials: Path, workers: int, works: list[Work]) -> list[Any]:
    with engine_of(kind, trials, workers, "ltc_edge.sweep.replicate:do_replicate") as engine:
        for work in works:
            engine.submit(work)
        ended: list[Any] = []
        while len(ended) < len(works):
            ended += engine.wait()
    return ended


def _by_themselves(trials: Path, workers: int, works: list[Work]) -> list[Any]:
    shares = [works[index::workers] for index in range(workers)]
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        return [each for share in pool.map(do_share, shares, [trials] * workers) for each in share]
