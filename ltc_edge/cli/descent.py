"""``ltc-edge descent``."""

from __future__ import annotations

import json
import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from ltc_edge.cli.descent_request import Asked, refuse_inert, understand
from ltc_edge.cli.main import INTERRUPTED
from ltc_edge.cli.options import Finite, json_option, output_option, stack
from ltc_edge.cli.output import print_json, progress_bar
from ltc_edge.cli.train import COUNT, data_options
from ltc_edge.errors import RecordingError
from ltc_edge.evaluation.descent.outcome import CellChoice
from ltc_edge.files import write_atomically

if TYPE_CHECKING:
    from ltc_edge.evaluation.descent.subject import Subject
    from ltc_edge.evaluation.sizing.dimension import Dimension

MOST_SEED = 1_000_000


def _widths(_: click.Context, __: click.Parameter, value: str | None) -> tuple[int, ...] | None:
    if value is None:
        return None
    try:
        widths = tuple(sorted({int(part) for part in value.split(",")}))
    except ValueError:
        raise click.BadParameter(f"{value!r} is not a list of widths such as 1,2,4,8") from None
    if widths[0] < 1 or len(widths) < 3:
        raise click.BadParameter("takes three widths or more, each at least 1: a peak has two sides")
    return widths


def _noises(_: click.Context, __: click.Parameter, value: str) -> tuple[float, ...]:
    try:
        noises = tuple(sorted({float(part) for part in value.split(",")}))
    except ValueError:
        raise click.BadParameter(f"{value!r} is not a list of shares such as 0,0.2") from None
    if not all(0.0 <= noise <= 1.0 for noise in noises):
        raise click.BadParameter("takes shares of wrong labels, from 0 to 1")
    return noises


sweep_options = stack(
    [
        click.option(
            "--cell",
            type=click.Choice(get_args(CellChoice)),
            default="ltc",
            show_default=True,
            help="What grows; random-features is the control case, in closed form.",
        ),
        click.option(
            "--widths", callback=_widths, help="Neurons, such as 1,2,4,8; chosen around p = n·outputs."
        ),
        click.option("--period", type=Finite(0.0, min_open=True),
                     help="Seconds between rows of --data that carries no time."),
        click.option("--windows", type=click.IntRange(4, 100_000), default=40, show_default=True,
                     help="Training windows n, each with one label."),
        click.option("--noise", "noises", callback=_noises, default="0,0.2", show_default=True,
                     help="Shares of wrong labels."),
        click.option("--seeds", type=click.IntRange(2, 1000), default=5, show_default=True,
                     help="How many: of windows, wrong labels and weights."),
        click.option("--seed", type=click.IntRange(0, MOST_SEED), default=0, show_default=True,
                     help="The first of them."),
        click.option("--updates", type=COUNT, default=3000, show_default=True,
                     help="Of a network at most, by Adam on all windows at once."),
        click.option("--learning-rate", type=Finite(0.0, 1.0, min_open=True), default=0.05, show_default=True,
                     help="Of Adam, at the start."),
        click.option("--unfolds", type=click.IntRange(1, 1000), default=3, show_default=True,
                     help="Solver sub-steps of LTC and CT-RNN."),
        click.option("-j", "--jobs", type=click.IntRange(1, 256), help="Processes; one a core."),
    ]
)  # fmt: skip


@click.command("descent")
@click.argument("task", required=False)
@data_options
@sweep_options
@output_option("The folder of results; work that is there is not done again.")
@json_option
@click.pass_context
def command(context: click.Context, /, output: Path, as_json: bool, **said: Any) -> None:
    """Sweep the width of a model across the point where it fits every label, and look for double descent.

    \b
    ltc-edge descent white-noise --cell random-features -o runs/control
    ltc-edge descent emps --data-dir DATA --cell ltc -o runs/descent
    ltc-edge descent --data 'logs/*.csv' --inputs u,q --targets dq --time t -o runs/descent
    ltc-edge descent pendulum --cell gru -o runs/descent

    TASK is white-noise, which must show it, a control task, whose expert is imitated, or a task over
    recordings. Work that was interrupted goes on when the same command is given again.
    """
    refuse_inert(context, said["cell"])
    asked = understand(said)
    try:
        document = _sweep(asked, said["jobs"] or os.cpu_count() or 1, output, as_json=as_json)
    except KeyboardInterrupt:
        click.echo(
            f"Interrupted. What is done is in {shlex.quote(str(output))}: the same command goes on.", err=True
        )
        sys.exit(INTERRUPTED)
    if as_json:
        print_json(document)


def _sweep(asked: Asked, jobs: int, output: Path, *, as_json: bool) -> dict[str, Any]:
    """Make what is missing, judge, and write the document and the picture."""
    from ltc_edge.cli.descent_document import sweep_document
    from ltc_edge.cli.descent_table import print_sweep
    from ltc_edge.evaluation.descent.curve import make_curve
    from ltc_edge.evaluation.descent.picture import draw_sweep
    from ltc_edge.evaluation.descent.store import Store
    from ltc_edge.evaluation.descent.sweep import run_sweep
    from ltc_edge.evaluation.descent.swept import Swept

    subject, settings, grid = asked.subject, asked.settings, asked.grid
    store = Store(output, subject.sha256, settings)
    with progress_bar(f"{len(grid.points)} models") as on_share:
        outcomes = run_sweep(subject, settings, grid, store, jobs=jobs, on_share=on_share)
    for path in store.damaged:
        click.echo(f"Note: {path} was damaged, and is done again", err=True)
    dimension, reason = _dimension(subject)
    swept = Swept(
        subject,
        settings,
        grid,
        [make_curve(grid, outcomes, noise, logarithmic=not subject.is_classes) for noise in grid.noises],
        dimension,
    )
    document = sweep_document(swept)
    document["d_eff_refused"] = reason
    document["redone"] = [str(path) for path in store.damaged]
    picture = output / f"{settings.cell}.png"
    document["picture"] = str(picture)
    content = json.dumps(document, indent=1, allow_nan=False) + "\n"
    write_atomically(output / f"{settings.cell}.json", content.encode())
    draw_sweep(swept, picture)
    if not as_json:
        print_sweep(swept)
        if reason is not None:
            click.echo(f"No n·d_eff: {reason}")
        click.echo(f"Picture: {picture}")
    return document


def _dimension(subject: Subject) -> tuple[Dimension | None, str | None]:
    """The effective dimension of a window, or why there is none."""
    from ltc_edge.evaluation.descent.dimension import window_dimension

    try:
        return window_dimension(subject), None
    except RecordingError as error:
        return None, str(error)
