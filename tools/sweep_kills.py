"""Kill the driver of a sweep and its workers at random, many times, and compare what comes out.

    python tools/sweep_kills.py --sweeps 20 --seed 0

Every sweep trains nothing (`tests/support/toy_trials.py`): its replicates take a few milliseconds, and one in
ten kills its own worker. The driver, a process with real workers, is ended by SIGKILL after a random time
and begun again, until the sweep is done. Printed is one JSON object: sweeps, lives of drivers, and how many
sweeps differ in a trial, its thresholds, its outcomes or its values from the same sweep left in peace.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

from toy_sweep import Quiet, Scrambled, plan, record_of, study_in

from ltc_edge.sweep.driver import run_sweep
from ltc_edge.sweep.engines.processes import Processes
from ltc_edge.sweep.lock import locked
from ltc_edge.sweep.plan import SweepPlan

SAMPLERS = ("nsga2", "tpe", "random")


def main() -> None:
    """Run the campaign."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--sweeps", type=int, default=6)
    parser.add_argument("--trials", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--longest-life", type=float, default=3.0, help="seconds")
    said = parser.parse_args()
    rng = random.Random(said.seed)
    lives, different = [], []
    for index in range(said.sweeps):
        asked_for = plan(sampler=SAMPLERS[index % 3], seed=index, trials=said.trials, population=5)
        with tempfile.TemporaryDirectory() as folder:
            count, record = _in_trouble(Path(folder), asked_for, rng, said.longest_life)
        lives.append(count)
        if record != _in_peace(asked_for):
            different.append(index)
    print(json.dumps({"sweeps": said.sweeps, "trials": said.trials, "lives": lives, "different": different}))


def _in_peace(asked_for: SweepPlan) -> list[Any]:
    with tempfile.TemporaryDirectory() as folder:
        study = study_in(Path(folder), asked_for)
        engine = Scrambled(Path(folder), 1, random.Random(0))
        run_sweep(study, engine, Path(folder), asked_for.trials, Quiet())
        return record_of(study)


def _in_trouble(
    folder: Path, asked_for: SweepPlan, rng: random.Random, longest_s: float
) -> tuple[int, list[Any]]:
    """How many lives its driver took, and what was asked and told."""
    (folder / "trials").mkdir()
    lives = 0
    while True:
        lives += 1
        driver = os.fork()
        if driver == 0:
            _drive(folder, asked_for, rng.choice((1, 2, 4)))
        time.sleep(rng.uniform(0.0, longest_s))
        ended, status = os.waitpid(driver, os.WNOHANG)
        if ended == 0:
            os.kill(driver, signal.SIGKILL)
            _, status = os.waitpid(driver, 0)
        if status == 0:
            return lives, record_of(study_in(folder, asked_for))
        if not os.WIFSIGNALED(status):
            sys.exit(f"a driver ended with {os.waitstatus_to_exitcode(status)}")


def _drive(folder: Path, asked_for: SweepPlan, workers: int) -> None:
    """Be a driver, to the end."""
    code = 1
    try:
        with locked(folder):
            engine = Processes(folder / "trials", workers, "toy_trials:do_in_trouble")
            run_sweep(study_in(folder, asked_for), engine, folder / "trials", asked_for.trials, Quiet())
            engine.close()
        code = 0
    finally:
        os._exit(code)


if __name__ == "__main__":
    main()
