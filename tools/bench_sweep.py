"""What a sweep takes beside its trainings. Prints JSON.

    python tools/bench_sweep.py engines                           # overhead of a trial, local and Ray
    python tools/bench_sweep.py trainings --task cartpole         # 2 workers against 1, interleaved
    python tools/bench_sweep.py storage --sizes 100,1000,10000    # as the study grows
    python tools/bench_sweep.py artifacts SWEEP                   # bytes of a trial of a finished sweep

engines    empty_trials_per_s: replicates that do nothing, through driver, journal and engine;
           gap_s: from the end of a replicate of 0.2 s, which leaves 100 KB, to the beginning of the next by
           the same worker: what a trial costs beside its work. Meanwhile trials are asked for and told.
           `ray, runs sent as bytes` is as if workers did not see the driver's disk.
trainings  the same trainings from several seeds by one worker and by two, in turns, starting included; and by
           processes that know nothing of sweeps (`machine`), which is what a second worker can be worth here.
storage    processor seconds of the last 40 calls of ask and tell at a size; load_s: of opening the study
           anew; wall_per_trial_s: all of it, waiting for the disk included.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

import optuna
from profile_bench.subject import machine_state
from sweep_bench.engines import KINDS, measure_engine, measure_trainings
from sweep_bench.storage import measure_storage


def main() -> None:
    arguments = _arguments()
    # Workers import the toys by their names.
    os.environ["OMP_NUM_THREADS"] = "1"
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    parts = {"engines": _engines, "trainings": _trainings, "storage": _storage, "artifacts": _artifacts}
    result = parts[arguments.part](arguments)
    print(json.dumps({"part": arguments.part, "result": result, "machine": machine_state()}, indent=2))


def _engines(arguments: argparse.Namespace) -> Any:
    return {kind: measure_engine(kind, arguments.trials, arguments.workers) for kind in KINDS}


def _trainings(arguments: argparse.Namespace) -> Any:
    return measure_trainings(arguments.task, arguments.replicates, arguments.rounds, arguments.engine)


def _storage(arguments: argparse.Namespace) -> Any:
    sizes = [int(size) for size in arguments.sizes.split(",")]
    rows = []
    for storage in arguments.storages.split(","):
        for sampler in arguments.samplers.split(","):
            rows += measure_storage(storage, sampler, sizes)
            print(f"{storage}, {sampler}: done", file=sys.stderr)
    return rows


def _artifacts(arguments: argparse.Namespace) -> Any:
    if arguments.sweep is None:
        sys.exit("name the folder of a finished sweep")
    folder = Path(arguments.sweep)
    replicates = len(list(folder.glob("trials/*/seed-?.json")))
    sizes = {
        "runs": sum(path.stat().st_size for path in folder.glob("trials/*/seed-?/**/*") if path.is_file()),
        "outcomes": sum(path.stat().st_size for path in folder.glob("trials/*/seed-*.json")),
        "journal": (folder / "study.journal").stat().st_size,
    }
    return {"replicates": replicates, **{name: round(size / replicates) for name, size in sizes.items()}}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("part", choices=("engines", "trainings", "storage", "artifacts"))
    parser.add_argument("sweep", nargs="?", help="artifacts: folder of a finished sweep")
    parser.add_argument("--trials", type=int, default=200, help="engines: empty trials")
    parser.add_argument("--workers", type=int, default=2, help="engines")
    parser.add_argument("--task", default="cartpole", help="trainings")
    parser.add_argument("--replicates", type=int, default=8, help="trainings: an even number")
    parser.add_argument("--rounds", type=int, default=3, help="trainings: times each")
    parser.add_argument("--engine", choices=("local", "ray"), default="local", help="trainings")
    parser.add_argument("--sizes", default="100,1000", help="storage: trials, with commas")
    parser.add_argument("--storages", default="journal,sqlite", help="storage")
    parser.add_argument("--samplers", default="nsga2,tpe", help="storage")
    return parser.parse_args()


if __name__ == "__main__":
    main()
