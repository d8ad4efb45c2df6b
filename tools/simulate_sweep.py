"""How busy a sweep keeps its workers, simulated. Prints JSON.

    python tools/simulate_sweep.py                                  # tables over workers and lookahead
    python tools/simulate_sweep.py --ask 0.02 --tell 0.01 --receive 0.005
    python tools/simulate_sweep.py --check                          # against real toy sweeps, a minute

Trials take 60 s on average, lognormal; their two replicates are drawn apart, with a coefficient of variation
of 0.53. The lookahead is given as a multiple of workers / seeds, the trials that fill the workers once.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from sweep_bench.engines import gaps_of
from sweep_bench.replicates import duration_of
from sweep_bench.simulation import Costs, simulate
from sweep_bench.toy_study import Nobody, toy_plan, toy_study

from ltc_edge.sweep.driver import run_sweep
from ltc_edge.sweep.engines.processes import Processes

MEAN_S = 60.0
SIGMA = 0.5
WORKERS = (2, 10, 100, 1_000, 10_000)
FILLS = (1, 2, 4, 8)
ROUNDS = 20
"""Trials of a simulation, in fillings of the workers: its beginning and end weigh little."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--ask", type=float, default=0.0, help="driver's seconds a trial")
    parser.add_argument("--tell", type=float, default=0.0, help="driver's seconds a trial")
    parser.add_argument("--receive", type=float, default=0.0, help="driver's seconds a replicate")
    parser.add_argument("--gap", type=float, default=0.0, help="worker's seconds a replicate")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--check", action="store_true", help="run real toy sweeps beside simulated ones")
    said = parser.parse_args()
    costs = Costs(said.ask, said.tell, said.receive, said.gap)
    print(json.dumps(_check() if said.check else _tables(costs, said.seeds), indent=2))


def _tables(costs: Costs, seeds: int) -> list[dict[str, Any]]:
    rows = []
    for workers in WORKERS:
        row: dict[str, Any] = {"workers": workers, "utilisation": {}}
        for fill in FILLS:
            trials = max(40, round(ROUNDS * workers / seeds))
            lookahead = max(1, round(fill * workers / seeds))
            durations = np.random.default_rng(0).lognormal(-(SIGMA**2) / 2, SIGMA, (trials, seeds)) * MEAN_S
            found = simulate(
                trials, seeds, workers, lookahead, lambda k, s, d=durations: float(d[k, s]), costs
            )
            row["utilisation"][f"lookahead {lookahead}"] = round(found.utilisation, 3)
        rows.append(row)
    return rows


def _check() -> list[dict[str, Any]]:
    """Sweeps of replicates that sleep, which need no processors, and what is simulated of them."""
    rows = []
    for workers, lookahead in ((2, 2), (4, 2), (4, 8), (8, 4), (8, 16)):
        trials, seeds = 30, 2
        plan = toy_plan(trials, seeds=seeds, lookahead=lookahead)
        with tempfile.TemporaryDirectory() as folder:
            study = toy_study(plan, Path(folder))
            place = Path(folder, "trials")
            place.mkdir()
            engine = Processes(place, workers, "sweep_bench.replicates:uneven")
            try:
                run_sweep(study, engine, place, trials, Nobody())
                measured_s = time.monotonic() - _first_began(study.told)
            finally:
                engine.close()
        gap_s = float(np.median(gaps_of([outcome for told in study.told for outcome in told.outcomes])))
        found = simulate(trials, seeds, workers, lookahead, duration_of, Costs(gap=gap_s))
        rows.append({
            "workers": workers, "lookahead": lookahead, "gap_s": round(gap_s, 4),
            "measured_s": round(measured_s, 2), "simulated_s": round(found.makespan_s, 2),
            "ratio": round(measured_s / found.makespan_s, 3),
        })  # fmt: skip
    return rows


def _first_began(told: Any) -> float:
    """When the first replicate began: the workers' imports are before that."""
    return min(outcome.seconds["began"] for each in told for outcome in each.outcomes)


if __name__ == "__main__":
    main()
