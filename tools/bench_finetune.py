"""What another solver and integers cost a trained controller, and what fine-tuning wins back. Prints JSON.

    python tools/bench_finetune.py --run RUN [--run RUN …] --json        # exponential with 3 sub-steps
    python tools/bench_finetune.py --run RUN --solver fused --unfolds 2 --goal solver

For each run: the solver is exchanged, fine-tuned, and played on episodes that no tuning sees, against the
controller as it was trained (case `solver`); and the run as it is is fine-tuned for integers, whose files
then run freely over 10,000 steps against the controller as it was trained, before and after (case
`integers`), with what the plan's error is made of: its weights, and noise of the 16-bit grid (`rounding`).
Needs the extras train, sim, litert and a C compiler; a format that cannot be had is left out.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ltc_edge.arrays import FloatArray
from ltc_edge.bundle.quantization import calibration_of
from ltc_edge.bundle.subject import Subject, read_subject
from ltc_edge.bundle.tuning import Change, TuningOptions, tune
from ltc_edge.cells.spec import SOLVERS
from ltc_edge.controller import Controller
from ltc_edge.errors import LtcEdgeError
from ltc_edge.export.artifacts import Artifact, make_artifact
from ltc_edge.export.calibration import Sequences, excitation, measure
from ltc_edge.export.formats import FORMATS
from ltc_edge.export.quantize import QuantizedStep, make_plan, quantize
from ltc_edge.export.rounding_noise import rounding_error
from ltc_edge.runtimes.exported import exported_stepper
from ltc_edge.tasks.protocol import Task
from ltc_edge.verification.change import compare
from ltc_edge.verification.closed_loop import ClosedLoopTrial
from ltc_edge.verification.open_loop import check_free_run
from ltc_edge.verification.task_trial import load_source
from ltc_edge.verification.tolerances import TOLERANCES
from ltc_edge.verification.trials import FreeRun, free_run

EXCITED_SEED = 777

INTEGERS = ("tflite-int16x8", "c-int16", "onnx-int16")


def solver_case(subject: Subject, task: Task, options: argparse.Namespace) -> dict[str, Any]:
    """The float controller with another solver: before and after fine-tuning."""
    losses = {}
    change: Change | None = None
    for finetuned in (False, True):
        asked = TuningOptions(options.solver, options.unfolds, finetuned, options.seed)
        changed, change = tune(subject, task, None, asked, integers=False)
        trial = ClosedLoopTrial(task, changed.trained, episodes=options.episodes)
        losses[finetuned] = compare(task, subject.trained, trial, episodes=options.episodes).to_json()
    assert change is not None
    assert change.solver is not None
    assert change.unfolds is not None
    names = [f"{change.solver[i]}-{change.unfolds[i]}" for i in (0, 1)]
    return {
        "change": " → ".join(names),
        "episodes": options.episodes,
        "return_trained": losses[True]["trained"],
        "return_changed": losses[True]["changed"],
        "lost_percent_before": losses[False]["lost_percent"],
        "lost_percent": losses[True]["lost_percent"],
        "lost_ci95": losses[True]["lost_ci95"],
        "reached": losses[True]["lost_percent"] <= 0.1,
        "seconds": round(sum(phase.seconds for phase in change.phases), 1),
        "updates": sum(phase.updates for phase in change.phases),
    }


def integer_case(subject: Subject, task: Task, options: argparse.Namespace) -> dict[str, Any]:
    """Free runs of the integer files against the controller as it was trained, before and after."""
    run = free_run(subject.trained)
    before = errors(subject, task, subject, run)
    tuned, change = tune(subject, task, None, TuningOptions(None, None, True, options.seed), integers=True)
    after = errors(tuned, task, subject, run)
    assert change is not None
    parts = rounding_error(subject.controller, quantized(subject, task), excited(subject.controller))
    return {
        "rounding": dataclasses.asdict(parts) | {"noise_share": parts.noise_share},
        "formats": {
            name: {"before": before[name], "after": after[name], "share": after[name] / before[name]}
            for name in before
            if name in after
        },
        "judged": [phase.to_json() for phase in change.phases],
        "seconds": round(sum(phase.seconds for phase in change.phases), 1),
        "updates": sum(phase.updates for phase in change.phases),
    }


def quantized(subject: Subject, task: Task) -> QuantizedStep:
    """The step of ``subject`` as its plan has it."""
    controller = subject.controller
    return quantize(controller, measure(controller, calibration_of(controller, task, None)))


def excited(controller: Controller) -> Sequences:
    """As many steps as the free run has, in sequences that run side by side."""
    return excitation(controller, sequences=20, steps=500, seed=EXCITED_SEED)


def errors(subject: Subject, task: Task, trained: Subject, run: FreeRun) -> dict[str, float]:
    """RMS error over σ of the files of ``subject``, by format, against the run of ``trained``."""
    controller = subject.controller
    plan = make_plan(controller, calibration_of(trained.controller, task, None))
    found = {}
    for name in INTEGERS:
        made = make_artifact(FORMATS[name], controller, plan)
        if isinstance(made, Artifact):
            stepper = exported_stepper(made, controller)
            result = check_free_run(trained.trained, stepper, run, TOLERANCES[name])
            if result.rms_over_sigma is not None:
                found[name] = result.rms_over_sigma
    return found


def rows(options: argparse.Namespace) -> list[dict[str, Any]]:
    """A row for each run and goal."""
    made = []
    for path in options.run:
        subject = read_subject(path)
        loaded, note = load_source(subject.source)
        if loaded is None or not hasattr(loaded, "make_plants"):
            raise SystemExit(f"{path}: is no run of a control task ({note})")
        for goal in options.goal:
            started = time.monotonic()
            row = (solver_case if goal == "solver" else integer_case)(subject, loaded, options)
            row = {"run": str(path), "task": loaded.name, "case": goal, **row}
            made.append(row | {"wall_s": round(time.monotonic() - started, 1)})
            print(told(made[-1]), file=sys.stderr, flush=True)
    return made


def told(row: Mapping[str, Any]) -> str:
    """A row in a line."""
    if row["case"] == "solver":
        low, high = row["lost_ci95"]
        return (
            f"{row['task']}: {row['change']}: {row['lost_percent_before']:.3g} % of the return lost, "
            f"{row['lost_percent']:.3g} % ({low:.3g} to {high:.3g}) after {row['seconds']} s"
        )
    shares: list[FloatArray] = [np.array(list(figures.values())) for figures in row["formats"].values()]
    parts = (
        f"{name} {100 * figures[0]:.3g} → {100 * figures[1]:.3g} % of σ ({figures[2]:.2f})"
        for name, figures in zip(row["formats"], shares, strict=True)
    )
    share = f"{100 * row['rounding']['noise_share']:.0f} % of the variance is noise"
    return f"{row['task']}: integers: {', '.join(parts)} after {row['seconds']} s; {share}"


def main() -> None:
    """Measure as the command line asks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--run", type=Path, action="append", required=True, help="A run folder; repeatable.")
    parser.add_argument(
        "--goal", action="append", choices=("solver", "integers"), help="Both where not given."
    )
    parser.add_argument("--solver", choices=SOLVERS, default="exponential")
    parser.add_argument("--unfolds", type=int, default=3)
    parser.add_argument("--episodes", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="Print one JSON object on standard output.")
    options = parser.parse_args()
    options.goal = options.goal or ["solver", "integers"]
    try:
        made = rows(options)
    except LtcEdgeError as error:
        raise SystemExit(f"Error: {error}") from None
    if options.json:
        print(json.dumps({"rows": made}, allow_nan=False))


if __name__ == "__main__":
    main()
