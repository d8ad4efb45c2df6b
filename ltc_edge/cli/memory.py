"""``ltc-edge memory``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ltc_edge.cli.options import FILE, json_option, trust_task_option
from ltc_edge.cli.output import console, one_line, print_json

if TYPE_CHECKING:
    from ltc_edge.controller import Controller
    from ltc_edge.evaluation.memory.decay import Decay
    from ltc_edge.evaluation.memory.gradient import Gradients, InputSequences
    from ltc_edge.evaluation.memory.reach import Reach
    from ltc_edge.logs import Dataset
    from ltc_edge.tasks.protocol import Task

LAGS = 128
"""Of a control task, where nothing is said."""

EPISODES = 16


@click.command("memory")
@click.argument("subject", metavar="RUN|BUNDLE", type=FILE)
@click.option(
    "--lags",
    type=click.IntRange(2, 100_000),
    help=f"How many steps back to look: {LAGS} of a control task, a window of recordings.",
)
@click.option(
    "--sequences",
    type=click.IntRange(1, 10_000),
    default=32,
    show_default=True,
    help="To take gradients along.",
)
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the first episode."
)
@click.option("--picture", type=FILE, help="Where to draw; in RUN, for bundles nowhere.")
@trust_task_option
@json_option
def command(
    subject: Path,
    lags: int | None,
    sequences: int,
    seed: int,
    picture: Path | None,
    trust_task: bool,
    as_json: bool,
) -> None:
    """Measure how far back a controller remembers, and how far back its recordings ask for it.

    The gradient of state and action with respect to inputs some steps before, along episodes or test
    recordings: where it has vanished, training cannot make the controller use what it saw then.
    """
    from ltc_edge.cli.evaluated import REFERENCE, is_bundle, open_bundle, open_run
    from ltc_edge.errors import require
    from ltc_edge.evaluation.memory.picture import draw_reach
    from ltc_edge.evaluation.memory.reach import measure_reach
    from ltc_edge.training.sources import ClosedLoopSource

    require("torch", "train")
    bundle = is_bundle(subject)
    evaluated = (
        open_bundle(subject, REFERENCE, None, trust_task=trust_task)
        if bundle
        else open_run(subject, REFERENCE)
    )
    controller, source = evaluated.controller, evaluated.source
    data = None
    if isinstance(source, ClosedLoopSource):
        along = _episodes(source.load(), controller, lags or LAGS, sequences, seed)
    else:
        data, _ = source.load()
        along = _recordings(data, lags or data.window_length, sequences)
    reach = measure_reach(controller, None if bundle else _untrained(subject, controller), along)
    found = None if data is None else _data_document(data, controller)
    path = picture or (None if bundle else subject / "memory.png")
    period_s = controller.timing.period_s
    if path is not None:
        draw_reach(reach, period_s, f"{controller.name}: {controller.cell.kind}", path)
    if not as_json:
        _print(reach, period_s, found)
        if path is not None:
            click.echo(f"Drawn: {path}")
        return
    print_json(
        {
            "run": str(subject),
            "cell": controller.cell.kind,
            "period_s": period_s,
            "lags": reach.lags,
            "sequences": reach.sequences,
            **_gradients_document(reach.trained, period_s),
            "untrained": None if reach.untrained is None else _gradients_document(reach.untrained, period_s),
            "data": found,
            "picture": None if path is None else str(path),
        }
    )


def _episodes(task: Task, controller: Controller, lags: int, sequences: int, seed: int) -> InputSequences:
    from ltc_edge.evaluation.closed_loop import evaluation_seeds
    from ltc_edge.evaluation.memory.reach import pieces_of
    from ltc_edge.evaluation.visited import visited_in_closed_loop

    seeds = evaluation_seeds(EPISODES, seed)
    visited, _ = visited_in_closed_loop(task, controller, seeds)
    return pieces_of(visited, lags, sequences)


def _recordings(data: Dataset, lags: int, sequences: int) -> InputSequences:
    from ltc_edge.errors import InputError
    from ltc_edge.evaluation.memory.histories import sequences_of

    for note in data.notes:
        click.echo(f"Note: {note}", err=True)
    along = sequences_of(data.test.segments, lags, sequences)
    if len(along.dt_s) == 0:
        longest = max(segment.rows for segment in data.test.segments)
        raise InputError(f"--lags {lags}: the longest test recording has {longest} rows; ask for fewer")
    return along


def _untrained(run: Path, controller: Controller) -> Controller | None:
    """What the run started from; None where that is another network, as after ``--from``."""
    from ltc_edge.controller_file import load_controller
    from ltc_edge.training.run_folder import RunFolder

    path = RunFolder(run).initial_file
    before = load_controller(path) if path.exists() else None
    return before if before is not None and before.cell == controller.cell else None


def _data_document(data: Dataset, controller: Controller) -> dict[str, Any]:
    from ltc_edge.network import Network
    from ltc_edge.training.memory_advice import advise
    from ltc_edge.training.prediction import score

    value = score(Network(controller), data, data.validation.segments)
    return advise(data, controller, value).to_json(data)


def _gradients_document(gradients: Gradients, period_s: float) -> dict[str, Any]:
    return {
        "state": _decay_document(gradients.state, period_s),
        "action": _decay_document(gradients.action, period_s),
    }


def _decay_document(decay: Decay, period_s: float) -> dict[str, Any]:
    horizon, folding = decay.horizon, decay.lags_to_e
    return {
        "horizon": horizon,
        "horizon_s": None if horizon is None else horizon * period_s,
        "rate": decay.rate,
        "lags_to_e": folding,
        "r_squared": decay.r_squared,
        "gradient": decay.norm.tolist(),
    }


def _print(reach: Reach, period_s: float, found: dict[str, Any] | None) -> None:
    from rich.table import Table

    rows = [("state", reach.trained.state), ("action", reach.trained.action)]
    if reach.untrained is not None:
        rows += [
            ("state, untrained", reach.untrained.state),
            ("action, untrained", reach.untrained.action),
        ]
    click.echo(_said_of_state(reach, period_s))
    table = Table("gradient of", title=f"{reach.lags} lags, {reach.sequences} sequences")
    for heading in ("steps", "seconds", "a step", "e-fold", "at the end"):
        table.add_column(heading, justify="right")
    for name, decay in rows:
        lag = _reached(decay, reach)
        more = "> " if decay.horizon is None else ""
        table.add_row(
            name,
            f"{more}{lag}",
            f"{more}{lag * period_s:.3g}",
            "–" if decay.rate is None else f"× {decay.rate:.3g}",
            "–" if decay.lags_to_e is None else f"{decay.lags_to_e:.3g}",
            f"{decay.share[-1]:.1e}",
        )
    console().print(table)
    if found is not None:
        click.echo(_said_of_data(found))


def _said_of_state(reach: Reach, period_s: float) -> str:
    """The finding in plain words."""
    lag = _reached(reach.trained.state, reach)
    steps = f"{lag} steps ({lag * period_s:.3g} s)"
    if reach.trained.state.horizon is None:
        return f"The state answers to inputs as far back as was looked, {steps}; --lags looks further."
    return f"The state answers to inputs {steps} back; beyond, the gradient is below 1 % of its peak."


def _reached(decay: Decay, reach: Reach) -> int:
    return reach.lags - 1 if decay.horizon is None else decay.horizon


def _said_of_data(found: dict[str, Any]) -> str:
    if found["advice"] is not None:
        return f"Advice: {one_line(found['advice'])}"
    if found["dependency"] is not None:
        return (
            f"The target depends on inputs {found['dependency']['lag']} steps back, which are within reach."
        )
    return (
        "No dependency of the target on inputs beyond that was found in what the network leaves unexplained."
    )
