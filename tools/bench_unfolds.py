"""What fewer sub-steps and another solver cost a task: trainings over several seeds. Prints JSON.

    python tools/bench_unfolds.py --json                          # every control task, three seeds
    python tools/bench_unfolds.py --task pendulum --runs FOLDER   # one; keeps the runs, and goes on with them
    python tools/bench_unfolds.py --task emps --data-dir DATA     # one over recordings

Everything but solver and unfolds is the task's default. Figures are those of validation, which defaults are
chosen on: the return of the best checkpoint, or the validation figure of recordings. Takes hours; runs with a
summary in the folder are not made again. Needs the extra train.
"""

from __future__ import annotations

import argparse
import itertools
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TASKS = (
    "inverted-pendulum",
    "cartpole",
    "dc-motor",
    "inverted-double-pendulum",
    "mountain-car-continuous",
    "pendulum",
)
SOLVERS = ("fused", "exponential")
UNFOLDS = (1, 2, 3, 6)
COMMAND = "from ltc_edge.cli.main import main; main()"


@dataclass(frozen=True)
class Setting:
    """What is varied."""

    task: str
    solver: str
    unfolds: int

    @property
    def name(self) -> str:
        """For folders and progress."""
        return f"{self.task}-{self.solver}-{self.unfolds}"


def train(setting: Setting, seed: int, runs: Path, more: Iterable[str]) -> dict[str, Any]:
    """The summary of one training.

    Raises:
        SystemExit: it failed, with what it said.
    """
    folder = runs / f"{setting.name}-seed{seed}"
    summary = folder / "summary.json"
    if not summary.is_file():
        print(folder.name, file=sys.stderr, flush=True)
        command = [sys.executable, "-c", COMMAND, "train", setting.task, "-o", str(folder), "--force", *more]
        command += ["--solver", setting.solver, "--unfolds", str(setting.unfolds), "--seed", str(seed)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            sys.exit(f"{folder.name}: {(done.stderr.strip().splitlines() or ['no message'])[-1]}")
    found: dict[str, Any] = json.loads(summary.read_text())
    return found


def row(setting: Setting, summaries: list[dict[str, Any]]) -> dict[str, Any]:
    """What its seeds gave."""
    values = [float(summary["validation"]) for summary in summaries]
    return {
        "task": setting.task,
        "solver": setting.solver,
        "unfolds": setting.unfolds,
        "metric": summaries[0]["metric"],
        "validation": values,
        "mean": statistics.mean(values),
        "deviation": statistics.stdev(values) if len(values) > 1 else None,
        "rounds": [summary["rounds"] for summary in summaries],
        "seconds": [summary["seconds"] for summary in summaries],
    }


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--task", action="append", default=[], help=f"repeatable; {', '.join(TASKS)}")
    parser.add_argument("--solver", action="append", default=[], help=f"repeatable; {', '.join(SOLVERS)}")
    parser.add_argument("--unfolds", type=int, action="append", default=[], help="repeatable; 1, 2, 3, 6")
    parser.add_argument("--seeds", type=int, default=3, help="from 0; default 3")
    parser.add_argument("--data-dir", help="recordings of a named task")
    parser.add_argument("--runs", type=Path, help="where to keep the runs; otherwise they are thrown away")
    parser.add_argument("--json", action="store_true", help="on one line")
    arguments = parser.parse_args()
    more = ["--data-dir", arguments.data_dir] if arguments.data_dir else []
    choices = arguments.task or TASKS, arguments.solver or SOLVERS, arguments.unfolds or UNFOLDS
    settings = list(itertools.starmap(Setting, itertools.product(*choices)))
    with tempfile.TemporaryDirectory() as scratch:
        runs = arguments.runs or Path(scratch)
        runs.mkdir(parents=True, exist_ok=True)
        found: dict[Setting, list[dict[str, Any]]] = {setting: [] for setting in settings}
        # Seed by seed: what is known when this is interrupted is of all settings.
        for seed, setting in itertools.product(range(arguments.seeds), settings):
            found[setting].append(train(setting, seed, runs, more))
    rows = [row(setting, summaries) for setting, summaries in found.items()]
    print(json.dumps({"seeds": arguments.seeds, "rows": rows}, indent=None if arguments.json else 2))


if __name__ == "__main__":
    main()
