"""How far back cells remember, what they learn of it, how often the test of a dependency errs. Prints JSON.

    python tools/bench_memory.py gradients --picture cells.png              # untrained cells; a minute
    python tools/bench_memory.py tasks --task irregular-xor --runs FOLDER   # trains; an hour and more
    python tools/bench_memory.py alarms                          # 400 recordings without a long dependency

`tasks` goes on with the runs in the folder. Needs the extra train.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ltc_edge.arrays import FloatArray
from ltc_edge.controller import Controller, Scaling, Timing
from ltc_edge.evaluation.memory.decay import HORIZON_SHARE, Decay, decay_of
from ltc_edge.evaluation.memory.dependency import LEVEL, History, find_dependency
from ltc_edge.signals import ActionSignal, ObservationSignal
from ltc_edge.training.options import ModelOptions

CELLS: dict[str, ModelOptions] = {
    "ltc": ModelOptions(cell="ltc", wiring="dense", linear_readout=True),
    "ltc with memory": ModelOptions(cell="ltc", wiring="dense", linear_readout=True, mixed_memory=True),
    "cfc": ModelOptions(cell="cfc", wiring="dense"),
    "cfc with memory": ModelOptions(cell="cfc", wiring="dense", mixed_memory=True),
    "ctrnn": ModelOptions(cell="ctrnn", wiring="dense"),
    "lstm": ModelOptions(cell="lstm", wiring="dense"),
    "gru": ModelOptions(cell="gru", wiring="dense"),
}

TRAININGS: dict[str, tuple[str, ...]] = {
    # For a CfC, with memory and without, 0.002 was the best of 0.002, 0.005 and 0.01; others were not tuned.
    "ltc": ("--cell", "ltc", "--units", "32", "--learning-rate", "0.01"),
    "ltc with memory": ("--cell", "ltc", "--units", "32", "--learning-rate", "0.01", "--mixed-memory"),
    "cfc": ("--cell", "cfc", "--learning-rate", "0.002"),
    "cfc with memory": ("--cell", "cfc", "--units", "32", "--learning-rate", "0.002", "--mixed-memory"),
    "ctrnn": ("--cell", "ctrnn", "--units", "32", "--learning-rate", "0.01"),
    "lstm": ("--cell", "lstm", "--units", "32", "--learning-rate", "0.01"),
    "gru": ("--cell", "gru", "--units", "32", "--learning-rate", "0.01"),
}

POLES = (0.0, 0.5, 0.8, 0.97)
"""Of the autoregressive inputs: from white to slow."""


def untrained(model: ModelOptions, seed: int) -> Controller:
    """A controller of two inputs and an action, with a period of one time unit."""
    from ltc_edge.network import initial_parameters
    from ltc_edge.training.model import cell_spec

    cell = cell_spec(model, 2, 1)
    return Controller(
        name="random",
        purpose="regression",
        observations=(ObservationSignal("a"), ObservationSignal("b")),
        normalizer=Scaling.identity(2),
        cell=cell,
        parameters=initial_parameters(cell, 1, readout=True, seed=seed),
        actions=(ActionSignal("y"),),
        denormalizer=Scaling.identity(1),
        timing=Timing.of_period(1.0, (0.1, 10.0)),
        initial_state=np.zeros(cell.state_size),
        fallback=np.zeros(1),
        clip=10.0,
        provenance={},
    )


def gradients(lags: int, sequences: int, units: int, seeds: int) -> dict[str, Decay]:
    """Decay of the state's gradient in every untrained cell, over normal inputs, seeds pooled."""
    import dataclasses

    from ltc_edge.evaluation.memory.gradient import InputSequences, gradients_by_lag

    rng = np.random.default_rng(0)
    along = InputSequences(rng.standard_normal((sequences, lags, 2)), np.ones((sequences, lags)))
    found = {}
    for name, model in CELLS.items():
        print(name, file=sys.stderr, flush=True)
        sized = dataclasses.replace(model, units=units)
        squares = [
            gradients_by_lag(untrained(sized, seed), along, directions=8, seed=seed).state.norm ** 2
            for seed in range(seeds)
        ]
        found[name] = decay_of(np.sqrt(np.mean(squares, axis=0)))
    return found


def draw(decays: dict[str, Decay], path: Path) -> None:
    """All cells in one picture."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, 4.4), layout="constrained")
    axis = figure.subplots()
    for name, decay in decays.items():
        axis.plot(
            np.where(decay.share > 0, decay.share, np.nan),
            label=name,
            linestyle="--" if "with" in name else "-",
        )
    axis.axhline(HORIZON_SHARE, color="tab:gray", linewidth=0.8, linestyle=":")
    axis.set_yscale("log")
    axis.set_ylim(1e-12, 3)
    axis.set_xlabel("lag [steps]")
    axis.set_ylabel("gradient of the state over its peak")
    axis.grid(alpha=0.25)
    axis.legend(fontsize="small", frameon=False)
    figure.savefig(path, dpi=110)


def decay_row(decay: Decay) -> dict[str, Any]:
    """Figures of a decay without its curve."""
    return {
        "horizon": decay.horizon,
        "rate": decay.rate,
        "lags_to_e": decay.lags_to_e,
        "r_squared": decay.r_squared,
        "share_at_end": float(decay.share[-1]),
    }


def command(arguments: Sequence[str]) -> str:
    """Standard output of ``ltc-edge``.

    Raises:
        SystemExit: it failed, with what it said.
    """
    code = "from ltc_edge.cli.main import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        sys.exit(f"{' '.join(arguments)}: {(done.stderr.strip().splitlines() or ['no message'])[-1]}")
    return done.stdout


def trained(task: str, cell: str, seed: int, runs: Path, more: Sequence[str]) -> dict[str, Any]:
    """Score and reach of one training; a finished run in the folder is not made again."""
    folder = runs / f"{task}-{cell.replace(' ', '-')}-seed{seed}"
    if not (folder / "summary.json").is_file():
        print(folder.name, file=sys.stderr, flush=True)
        options = [*TRAININGS[cell], *more, "--seed", str(seed)]
        command(["train", task, *options, "-o", str(folder), "--force"])
    summary = json.loads((folder / "summary.json").read_text())
    reach = json.loads(command(["memory", str(folder), "--json"]))
    return {
        "seed": seed,
        "accuracy": summary["value"],
        "seconds": summary["seconds"],
        "parameters_effective": summary["parameters_effective"],
        "horizon": reach["state"]["horizon"],
        "horizon_untrained": reach["untrained"]["state"]["horizon"],
        "advice": summary["memory"]["advice"],
    }


def tasks(
    task: str, cells: Sequence[str], seeds: int, runs: Path, more: Sequence[str]
) -> list[dict[str, Any]]:
    """A row for each cell."""
    runs.mkdir(parents=True, exist_ok=True)
    rows = []
    for cell in cells:
        each = [trained(task, cell, seed, runs, more) for seed in range(seeds)]
        accuracies = [one["accuracy"] for one in each]
        spread = statistics.stdev(accuracies) if len(each) > 1 else None
        rows.append({"cell": cell, "mean": statistics.mean(accuracies), "deviation": spread, "runs": each})
    return rows


def recorded(seed: int, far: float, *, rows: int, lag: int, reach: int) -> tuple[History, int]:
    """Autoregressive inputs of a target within ``reach``, with a share ``far`` of its variance at ``lag``.

    The network knows nothing of the target, which is hardest for the test: all is left in the error.
    """
    from scipy.signal import lfilter

    rng = np.random.default_rng(seed)
    pole = POLES[seed % len(POLES)]
    inputs: FloatArray = lfilter([np.sqrt(1 - pole**2)], [1, -pole], rng.standard_normal((rows, 2)), axis=0)

    def delayed(steps: int) -> FloatArray:
        return np.roll(inputs, steps, axis=0)

    near = np.tanh(2 * inputs[:, 0]) * inputs[:, 1] + 0.5 * delayed(1)[:, 0] ** 2
    near = (near - near.mean()) / near.std() + 0.5 * rng.standard_normal(rows)
    target = np.sqrt(1 - far) * near / near.std() + np.sqrt(far) * delayed(lag)[:, 1]
    at = np.arange(127, rows, 32)
    past = np.stack([inputs[row - 127 : row + 1][::-1] for row in at])
    return History(target[at, None], target[at, None], past), reach


def alarms(count: int, lag: int = 60) -> dict[str, Any]:
    """How often the test speaks where nothing is far, and where a share of the variance is."""
    result: dict[str, Any] = {"level": LEVEL, "recordings": count, "lag": lag}
    for far in (0.0, 0.05, 0.1, 0.2, 0.5):
        found = [
            find_dependency(*recorded(seed, far, rows=10_000, lag=lag, reach=4), seed=seed)
            for seed in range(count)
        ]
        spoke = [each for each in found if each is not None]
        # With slow inputs, neighbouring lags tell nearly the same.
        near = [each for each in spoke if abs(each.lag - lag) <= 2]
        result[f"far_{far:g}"] = {"found": len(spoke) / count, "at_its_lag": len(near) / count}
    return result


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    kinds = parser.add_subparsers(dest="kind", required=True)
    first = kinds.add_parser("gradients")
    first.add_argument("--lags", type=int, default=128)
    first.add_argument("--sequences", type=int, default=16)
    first.add_argument("--units", type=int, default=32)
    first.add_argument("--seeds", type=int, default=3)
    first.add_argument("--picture", type=Path)
    second = kinds.add_parser("tasks")
    second.add_argument("--task", default="irregular-xor")
    second.add_argument("--cell", action="append", default=[], help=f"repeatable; {', '.join(TRAININGS)}")
    second.add_argument("--seeds", type=int, default=3)
    second.add_argument("--rounds", type=int)
    second.add_argument("--runs", type=Path, required=True)
    third = kinds.add_parser("alarms")
    third.add_argument("--count", type=int, default=400)
    arguments = parser.parse_args()
    document: Any
    if arguments.kind == "gradients":
        decays = gradients(arguments.lags, arguments.sequences, arguments.units, arguments.seeds)
        if arguments.picture is not None:
            draw(decays, arguments.picture)
        document = {name: decay_row(decay) for name, decay in decays.items()}
    elif arguments.kind == "tasks":
        more = [] if arguments.rounds is None else ["--rounds", str(arguments.rounds)]
        cells = arguments.cell or list(TRAININGS)
        document = tasks(arguments.task, cells, arguments.seeds, arguments.runs, more)
    else:
        document = alarms(arguments.count)
    print(json.dumps(document, indent=2))


if __name__ == "__main__":
    main()
