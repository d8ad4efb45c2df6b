"""``ltc-edge train``."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from ltc_edge.cells.spec import SOLVERS
from ltc_edge.cli.main import INTERRUPTED
from ltc_edge.cli.options import FILE, Finite, indices, json_option, output_option, refuse_others, stack
from ltc_edge.cli.output import TrainingProgress, one_line, print_json
from ltc_edge.errors import ControllerFileError, InputError
from ltc_edge.training.options import CellKind, WiringKind
from ltc_edge.wiring import MAX_SEED

if TYPE_CHECKING:
    from ltc_edge.training.session import Plan

COUNT = click.IntRange(1, 1_000_000_000)
COUNT_FROM_2 = click.IntRange(2, 1_000_000_000)

RESUMABLE = {"output", "resume", "as_json", "task"}
"""What may be said together with --resume: everything else is in the run folder."""


task_options = stack(
    [
        click.option(
            "--sensors",
            type=click.Choice(["positions", "full"]),
            help="What the controller of a named task sees: positions, which hides the velocities, or full.",
        ),
        click.option("--env", help="A Gymnasium environment to control."),
        click.option("--expert", help="Its expert, as module:function: observation in, action out."),
        click.option(
            "--observe", callback=indices, help="Indices of its observations to use, such as 0,1,3."
        ),
        click.option("--max-steps", type=COUNT, help="Length of its episodes."),
        click.option(
            "--period", type=float, help="Seconds between steps of --env, or between rows of --data."
        ),
    ]
)

data_options = stack(
    [
        click.option(
            "--data",
            multiple=True,
            help="Recordings: a path or a quoted glob, repeatable (CSV, NPY, NPZ, Parquet, MCAP, bags).",
        ),
        click.option("--inputs", help="Their columns to read, such as q,dq or c0:c16."),
        click.option("--targets", help="Their columns to predict."),
        click.option("--time", help="Their column of time, in seconds or as dates."),
        click.option(
            "--kind",
            type=click.Choice(["prediction", "regression", "classification"]),
            help="The next row, this row, or a class; without it, prediction of inputs and else regression.",
        ),
        click.option("--validation", multiple=True, help="Recordings to choose the checkpoint on."),
        click.option("--test", multiple=True, help="Recordings to report on."),
        click.option("--window", type=COUNT_FROM_2, help="Rows of a window; 32."),
        click.option("--stride", type=COUNT, help="Rows between windows; half a window."),
        click.option("--data-dir", type=FILE, help="Folder of a named task's recordings."),
    ]
)

model_options = stack(
    [
        click.option("--cell", type=click.Choice(get_args(CellKind)), help="The recurrent cell; ltc."),
        click.option("--units", type=COUNT, help="Neurons."),
        click.option("--wiring", type=click.Choice(get_args(WiringKind)), help="Of an LTC or CfC."),
        click.option("--sparsity", type=float, help="Share of absent synapses of ncp and random; 0.5."),
        click.option("--wiring-seed", type=int, help="Seed of the wiring."),
        click.option(
            "--solver",
            type=click.Choice(SOLVERS),
            help="Of an LTC; the explicit euler and rk4 have no proved bounds, and so no integers.",
        ),
        click.option("--unfolds", type=click.IntRange(1, 1000), help="Solver sub-steps a step."),
        click.option(
            "--mixed-memory", is_flag=True, default=None, help="Put an LSTM memory before the cell."
        ),
        click.option("--backbone-units", type=COUNT, help="Of a dense CfC."),
        click.option(
            "--linear-readout", is_flag=True, default=None, help="Read all units, not the motor neurons."
        ),
    ]
)

method_options = stack(
    [
        click.option("--rounds", type=COUNT, help="At most so many DAgger rounds, or epochs."),
        click.option("--learning-rate", type=float, help="Of Adam, at the start."),
        click.option("--batch", type=COUNT, help="Windows an optimiser step sees."),
        click.option("--episodes", type=click.IntRange(1, 100_000), help="Episodes collected a round."),
        click.option(
            "--value-weight",
            type=Finite(0.0, 1e6),
            help="Of what actions cost in the long run, where a task prices them; 0 imitates alone.",
        ),
        click.option("--patience", type=COUNT, help="Epochs without progress before stopping."),
        click.option("--from", "start", type=FILE, help="Go on from this run or controller."),
        click.option("--refine", type=COUNT, help="Refine --from by CMA-ES for so many generations."),
        click.option(
            "--seed",
            type=click.IntRange(0, MAX_SEED),
            default=0,
            show_default=True,
            help="Of all that is drawn.",
        ),
        click.option(
            "--threads", type=click.IntRange(1, 256), default=1, show_default=True, help="Of torch."
        ),
    ]
)


@click.command("train")
@click.argument("task", required=False)
@output_option("The run folder.")
@task_options
@data_options
@model_options
@method_options
@click.option("--resume", is_flag=True, help="Go on with the run in the folder.")
@click.option("--force", is_flag=True, help="Replace a run in the folder.")
@json_option
@click.pass_context
def command(
    context: click.Context, /, output: Path, resume: bool, force: bool, as_json: bool, **said: Any
) -> None:
    """Train a controller on TASK, on --env, or on recordings given by --data.

    \b
    ltc-edge train inverted-double-pendulum -o runs/balance
    ltc-edge train half-cheetah --data-dir DATA -o runs/cheetah
    ltc-edge train --data 'logs/*.csv' --inputs u,q --targets dq --time t -o runs/observer

    `ltc-edge tasks` lists the tasks. Settings that are not given are those tried on the task.
    A run that was interrupted goes on with --resume, to the same result bit for bit.
    """
    from ltc_edge.training.session import read_plan, resume_run, start_run

    if resume:
        refuse_others(context, RESUMABLE, "--resume goes on with the options the run was started with")
        plan = read_plan(output)
        if said["task"] not in (None, plan.source.name):
            raise InputError(f"{output}: is a run of {plan.source.name}, not of {said['task']}")
    else:
        plan = _plan(said)
    try:
        with TrainingProgress(_metric_column(plan)) as progress:
            summary = (
                resume_run(output, progress) if resume else start_run(plan, output, progress, force=force)
            )
    except KeyboardInterrupt:
        if not (output / "config.json").exists():
            raise
        click.echo(
            f"Interrupted. Go on with: ltc-edge train --resume -o {shlex.quote(str(output))}", err=True
        )
        sys.exit(INTERRUPTED)
    if as_json:
        print_json(summary)
    else:
        _print_summary(summary, output)


def _metric_column(plan: Plan) -> str:
    from ltc_edge.logs import LOG_TASKS, SEQUENCE_TASKS
    from ltc_edge.training.options import PredictionOptions
    from ltc_edge.training.sources import LogTaskSource, RecordingsSource, SequenceSource

    if not isinstance(plan.options, PredictionOptions):
        return "return"
    if isinstance(plan.source, LogTaskSource):
        return f"validation_{LOG_TASKS[plan.source.name].metric}"
    if isinstance(plan.source, SequenceSource):
        return f"validation_{SEQUENCE_TASKS[plan.source.name].metric}"
    assert isinstance(plan.source, RecordingsSource)
    data, _ = plan.source.load()
    for note in data.notes:
        click.echo(f"Note: {note}", err=True)
    return f"validation_{data.metric}"


def _plan(said: dict[str, Any]) -> Plan:
    from ltc_edge.training.choose import choose_plan

    return choose_plan(said)


def _print_summary(summary: dict[str, Any], output: Path) -> None:
    try:
        line = (
            f"{summary['task']}: {summary['cell']} of {summary['units']} units, "
            f"{summary['parameters_effective']} parameters; "
            f"{'validation' if summary['metric'] == 'return' else 'test'} "
            f"{summary['metric']} {summary['value']:.5g} "
            f"(round {summary['best_round'] + 1} of {summary['rounds']}, {summary['seconds']:.0f} s)"
        )
    except (KeyError, TypeError, ValueError):
        raise ControllerFileError(
            f"{output / 'summary.json'}: was edited; start again with --force"
        ) from None
    click.echo(line)
    advice = (summary.get("memory") or {}).get("advice")
    if advice is not None:
        click.echo(f"Advice: {one_line(advice)}")
    click.echo(f"Next: ltc-edge evaluate {shlex.quote(str(output))}")
