"""Train every cell on the recordings of the LTC paper, and print its table beside ours.

    python tools/bench_paper.py --data-dir DATA --output bench.json --markdown bench.md

Each row trains one network from several seeds with the task's default settings, takes the checkpoint with
the best validation score, and scores that once on the test recordings. JSON goes to standard output,
progress to standard error.
"""

from __future__ import annotations

import dataclasses
import json
import statistics
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast, get_args

import click

from ltc_edge.errors import InputError, LtcEdgeError, require
from ltc_edge.files import write_atomically
from ltc_edge.logs import LOG_TASKS
from ltc_edge.training.defaults import log_defaults
from ltc_edge.training.options import CellKind, ModelOptions, PredictionOptions
from ltc_edge.training.session import Plan, start_run
from ltc_edge.training.sources import LogTaskSource
from ltc_edge.version import __version__

Row = dict[str, Any]

SOURCE = "Hasani, Lechner, Amini, Rus, Grosu, Liquid Time-constant Networks, AAAI 2021, table 3"


@dataclass(frozen=True)
class Published:
    """A figure of ``SOURCE`` for 32 units; ``std`` is None where it is not quoted here."""

    mean: float
    std: float | None = None


PUBLISHED: dict[str, dict[str, Published]] = {
    "half-cheetah": {
        "ltc": Published(2.308, 0.015),
        "ctrnn": Published(2.838),
        "lstm": Published(2.500, 0.140),
        "ct-gru": Published(3.014),
        "neural-ode": Published(3.805),
    },
    "occupancy": {"ltc": Published(94.63, 0.17), "ctrnn": Published(94.54), "lstm": Published(93.18)},
}
"""By task and cell: mean squared error in raw units, accuracy in percent."""

FACTORS = {"mse": 1.0, "rmse": 1.0, "accuracy": 100.0}
"""From a metric's value to the one in the table: accuracies are in percent."""

CELLS: tuple[CellKind, ...] = get_args(CellKind)
LTC_NCP = "ltc-ncp"
METRICS = {"mse": "MSE", "rmse": "RMSE", "accuracy": "accuracy, %"}
DIGITS = {"mse": 3, "rmse": 4, "accuracy": 2}
COLUMNS = ("task", "cell", "wiring", "units", "parameters", "ours", "published")


class Silent:
    """A run nobody watches."""

    def begin(self, rounds: int, completed: int) -> None:
        """Say nothing."""

    def tick(self, index: int, share: float) -> None:
        """Say nothing."""

    def record(self, record: Mapping[str, Any]) -> None:
        """Say nothing."""


def say(message: str) -> None:
    click.echo(message, err=True)


def names(known: Sequence[str]) -> Any:
    """A callback for comma-separated names out of ``known``."""

    def callback(_: click.Context, __: click.Parameter, value: str) -> tuple[str, ...]:
        chosen = tuple(dict.fromkeys(part.strip() for part in value.split(",")))
        unknown = [name for name in chosen if name not in known]
        if unknown:
            raise click.BadParameter(f"{unknown[0]!r} is not one of {', '.join(known)}")
        return chosen

    return callback


def model_options(task: str, cell: str, units: int) -> ModelOptions:
    """The network of a row: dense, of ``units`` neurons; ``ltc-ncp`` is the task's default network."""
    if cell == LTC_NCP:
        return log_defaults(task).model
    return ModelOptions(cell=cast(CellKind, cell), units=units, wiring="dense", linear_readout=cell == "ltc")


def prediction_options(task: str, epochs: int | None) -> PredictionOptions:
    options = log_defaults(task).prediction
    return options if epochs is None else dataclasses.replace(options, epochs=epochs)


def test_value(
    data_dir: Path, task: str, settings: Mapping[str, Any], seed: int, threads: int
) -> tuple[float, Row]:
    """The test score of the best-validation checkpoint from one seed, and the parameter counts."""
    plan = Plan(
        source=LogTaskSource(task, str(data_dir)),
        options=PredictionOptions(**settings["prediction"]),
        model=ModelOptions(**settings["model"]),
        seed=seed,
        threads=threads,
    )
    with tempfile.TemporaryDirectory(prefix="bench_paper_") as temporary:
        summary = start_run(plan, Path(temporary) / "run", Silent())
    metric = LOG_TASKS[task].metric
    value = FACTORS[metric] * summary["value"]
    say(
        f"    seed {seed}: test {metric} {value:.4g}, validation {summary['validation']:.4g} "
        f"at epoch {summary['best_round'] + 1} of {summary['rounds']}, {summary['seconds']:.0f} s"
    )
    return value, {name: summary[name] for name in ("parameters_effective", "parameters_dense")}


def train_row(data_dir: Path, task: str, cell: str, settings: Row, threads: int) -> Row:
    """One row: every seed of one network on one task."""
    results = [test_value(data_dir, task, settings, seed, threads) for seed in range(settings["seeds"])]
    values = [value for value, _ in results]
    model = settings["model"]
    return {
        "task": task,
        "cell": cell,
        "wiring": model["wiring"],
        "units": model["units"],
        "metric": LOG_TASKS[task].metric,
        **results[0][1],
        "seeds": settings["seeds"],
        "values": values,
        "mean": statistics.fmean(values),
        "std": statistics.stdev(values) if len(values) > 1 else None,
        "published": published(task, cell),
        "settings": settings,
    }


def published(task: str, cell: str) -> Row | None:
    """The paper's figure as JSON, None where the paper has none; its LTC is compared with both of ours."""
    figure = PUBLISHED.get(task, {}).get("ltc" if cell == LTC_NCP else cell)
    return None if figure is None else {**dataclasses.asdict(figure), "source": SOURCE}


def untrained_rows(task: str) -> list[Row]:
    """The paper's cells that are not trained here."""
    empty = dict.fromkeys(
        ("wiring", "units", "parameters_effective", "parameters_dense", "seeds", "values", "mean", "std")
    )
    return [
        {
            "task": task,
            "cell": cell,
            "metric": LOG_TASKS[task].metric,
            **empty,
            "published": published(task, cell),
        }
        for cell in PUBLISHED.get(task, {})
        if cell not in CELLS
    ]


def read_rows(output: Path | None) -> list[Row]:
    """Rows of an earlier run with the same ``--output``."""
    if output is None or not output.exists():
        return []
    try:
        rows = json.loads(output.read_text(encoding="utf-8"))["rows"]
        return [row for row in rows if row["mean"] is not None]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{output}: is no output of this command ({error}); name another") from None


def write_document(document: Row, output: Path | None) -> None:
    if output is not None:
        write_atomically(output, (json.dumps(document, indent=1, allow_nan=False) + "\n").encode())


def all_rows(
    tasks: Sequence[str], cells: Sequence[str], plan: Row, data_dir: Path, output: Path | None
) -> Iterator[tuple[Row, bool]]:
    """Each row asked for, and whether it was trained now."""
    known = {(row["task"], row["cell"]): row for row in read_rows(output)}
    for task in tasks:
        for cell in cells:
            settings = {
                "model": dataclasses.asdict(model_options(task, cell, plan["units"])),
                "prediction": dataclasses.asdict(prediction_options(task, plan["epochs"])),
                "seeds": plan["seeds"],
            }
            row = known.get((task, cell))
            if row is not None and row["settings"] == settings:
                yield row, False
                continue
            say(f"{task}, {cell}: {settings['model']} {settings['prediction']}")
            yield train_row(data_dir, task, cell, settings, plan["threads"]), True


def bench(tasks: Sequence[str], cells: Sequence[str], plan: Row, data_dir: Path, output: Path | None) -> Row:
    """Every row; after each, ``output`` holds all that are done, those of earlier runs included."""
    rows = {(row["task"], row["cell"]): row for row in read_rows(output)}
    document: Row = {
        "settings": {**plan, "ltc_edge": __version__, "torch": require("torch", "train").__version__},
        "rows": [],
    }
    for row, is_new in all_rows(tasks, cells, plan, data_dir, output):
        rows[row["task"], row["cell"]] = row
        document["rows"] = [*rows.values()]
        if is_new:
            write_document(document, output)
    for task in tasks:
        document["rows"] += untrained_rows(task)
    write_document(document, output)
    return document


def figure(values: Mapping[str, Any] | None, digits: int) -> str:
    """``mean ± std``, or a dash."""
    if values is None or values["mean"] is None:
        return "–"
    spread = "" if values["std"] is None else f" ± {values['std']:.{digits}f}"
    return f"{values['mean']:.{digits}f}{spread}"


def markdown(document: Row) -> str:
    """The table, and under it the training settings of each task."""
    lines = ["| " + " | ".join(COLUMNS) + " |", "|" + "---|" * len(COLUMNS)]
    rows = sorted(document["rows"], key=_order)
    for row in rows:
        fields = (
            f"{row['task']}, {METRICS[row['metric']]}",
            row["cell"],
            row["wiring"],
            row["units"],
            _parameters(row),
            figure(row, DIGITS[row["metric"]]),
            figure(row["published"], DIGITS[row["metric"]]),
        )
        lines.append("| " + " | ".join("–" if field is None else str(field) for field in fields) + " |")
    used = {f"{row['task']}: {_prediction(row)}": None for row in rows if row["mean"] is not None}
    return "\n".join([*lines, "", *(f"- {line}" for line in used), f"- published: {SOURCE}"]) + "\n"


def _order(row: Row) -> tuple[int, int]:
    """Tasks and cells as they are listed, then the cells that are not trained here."""
    cells = [LTC_NCP, *CELLS]
    cell = cells.index(row["cell"]) if row["cell"] in cells else len(cells)
    return list(LOG_TASKS).index(row["task"]), cell


def _parameters(row: Row) -> str | None:
    effective, dense = row["parameters_effective"], row["parameters_dense"]
    return None if effective is None else f"{effective:,}" + (f" of {dense:,}" if dense != effective else "")


def _prediction(row: Row) -> str:
    settings = row["settings"]
    options = ", ".join(f"{name} {value}" for name, value in settings["prediction"].items())
    return f"{settings['seeds']} seeds; {options}"


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--tasks", default=",".join(LOG_TASKS), show_default=True, callback=names(tuple(LOG_TASKS)))
@click.option(
    "--cells", default=",".join((LTC_NCP, *CELLS)), show_default=True, callback=names((LTC_NCP, *CELLS))
)
@click.option("--seeds", type=click.IntRange(1, 100), default=3, show_default=True, help="0, 1, … of them.")
@click.option("--data-dir", type=click.Path(path_type=Path), required=True, help="Folder of the recordings.")
@click.option(
    "--units", type=click.IntRange(1), default=32, show_default=True, help="Of all cells but ltc-ncp."
)
@click.option("--epochs", type=click.IntRange(1), help="Instead of the task's default.")
@click.option("--threads", type=click.IntRange(1), default=1, show_default=True)
@click.option(
    "--output", type=click.Path(path_type=Path), help="JSON file; rows in it are not trained again."
)
@click.option("--markdown", "table", type=click.Path(path_type=Path), help="Table file; standard error.")
def main(
    *,
    tasks: tuple[str, ...],
    cells: tuple[str, ...],
    seeds: int,
    data_dir: Path,
    units: int,
    epochs: int | None,
    threads: int,
    output: Path | None,
    table: Path | None,
) -> None:
    """Train the cells on the recordings of the LTC paper and print its table beside ours."""
    try:
        for name in tasks:
            LOG_TASKS[name].load(data_dir)  # a missing file must show now, not after an hour
        plan = {"seeds": seeds, "units": units, "epochs": epochs, "threads": threads}
        document = bench(tasks, cells, plan, data_dir, output)
        if table is None:
            say(markdown(document))
        else:
            write_atomically(table, markdown(document).encode())
    except LtcEdgeError as error:
        say(f"Error: {error}")
        sys.exit(error.exit_code)
    click.echo(json.dumps(document, allow_nan=False))


if __name__ == "__main__":
    main()
