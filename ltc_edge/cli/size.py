"""``ltc-edge size``."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ltc_edge.cli.options import FILE, Finite, indices, json_option, names
from ltc_edge.cli.output import print_json, stages
from ltc_edge.cli.size_document import sizing_document
from ltc_edge.cli.train import data_options, task_options
from ltc_edge.wiring import MAX_SEED

if TYPE_CHECKING:
    from ltc_edge.evaluation.sizing.report import Options
    from ltc_edge.training.options import CellKind

NOT_SAID = dict.fromkeys(
    ("start", "refine", "rounds", "learning_rate", "batch", "episodes", "value_weight", "patience")
)
"""Options of `train` that say nothing about a size."""

CELLS = ("ltc", "cfc", "gru", "lstm")


def chosen_cells(
    context: click.Context, parameter: click.Parameter, value: str | None
) -> tuple[str, ...] | None:
    """Callback: names of cells, in the order of `CELLS`."""
    said = names(context, parameter, value)
    if said is None:
        return None
    for name in said:
        if name not in CELLS:
            nearest = difflib.get_close_matches(name, CELLS, n=1)
            hint = f"did you mean {nearest[0]!r}? " if nearest else ""
            raise click.BadParameter(f"there is no cell {name!r}: {hint}there are {', '.join(CELLS)}")
    return tuple(cell for cell in CELLS if cell in said)


def chosen_widths(
    context: click.Context, parameter: click.Parameter, value: str | None
) -> tuple[int, ...] | None:
    """Callback: numbers of units, ascending."""
    widths = indices(context, parameter, value)
    if widths is None:
        return None
    if min(widths) < 1:
        raise click.BadParameter(f"{value!r}: a network has one unit at least")
    return tuple(sorted(set(widths)))


@click.command("size")
@click.argument("task", required=False)
@task_options
@data_options
@click.option(
    "--cells", callback=chosen_cells, help=f"Whose learning curve is taken: some of {', '.join(CELLS)}; all."
)
@click.option("--units", "widths", callback=chosen_widths, help="Widths to try; 4,8,16,32.")
@click.option(
    "--folds",
    type=click.IntRange(2, 20),
    default=3,
    show_default=True,
    help="Parts of the data that are held out in turn.",
)
@click.option(
    "--effort",
    type=Finite(0.01, 1000.0),
    default=1.0,
    show_default=True,
    help="How long networks are trained: a factor on their number of updates.",
)
@click.option("--no-curve", is_flag=True, help="Train nothing: dimension, windows and the law alone.")
@click.option("--picture", type=FILE, help="Where to draw dimension against scale and the learning curves.")
@click.option(
    "--seed", type=click.IntRange(0, MAX_SEED), default=0, show_default=True, help="Of all that is drawn."
)
@json_option
def command(
    cells: tuple[CellKind, ...] | None,
    widths: tuple[int, ...] | None,
    folds: int,
    effort: float,
    no_curve: bool,
    picture: Path | None,
    seed: int,
    as_json: bool,
    **said: Any,
) -> None:
    """How large a network the data ask for: of a TASK's demonstrations, or of recordings given by --data.

    \b
    ltc-edge size inverted-double-pendulum
    ltc-edge size --data 'logs/*.csv' --inputs u,q --targets dq --time t --picture size.png

    Effective dimension, independent windows, the count of the law of robustness with its premises, and the
    units that cross-validated learning curves recommend. The same data and seed give the same figures.
    """
    from ltc_edge.errors import OutputError, require
    from ltc_edge.evaluation.sizing.report import size
    from ltc_edge.evaluation.sizing.subject import load_subject
    from ltc_edge.training.choose import choose_plan

    if no_curve and (cells or widths):
        raise click.UsageError("--no-curve trains nothing; leave --cells and --units out, or --no-curve")
    if picture is not None and not picture.parent.is_dir():
        raise OutputError(f"{picture}: there is no folder {picture.parent}; make it first")
    plan = choose_plan(NOT_SAID | {"seed": seed, "threads": 1} | said)
    require("torch", "train").set_num_threads(plan.threads)
    with stages() as on_share:
        on_share("reading", 0.0)
        subject = load_subject(plan, seed)
        for note in subject.data.notes:
            click.echo(f"Note: {note}", err=True)
        sizing = size(subject, _options(cells, widths, folds, effort, seed, curve=not no_curve), on_share)
    if picture is not None:
        from ltc_edge.evaluation.sizing.picture import draw_sizing

        draw_sizing(sizing, subject.name, picture)
    if as_json:
        where = None if picture is None else str(picture)
        print_json(sizing_document(sizing) | {"seed": seed, "effort": effort, "picture": where})
        return
    from ltc_edge.cli.size_table import print_sizing

    print_sizing(sizing)
    if picture is not None:
        click.echo(f"Drawn: {picture}")


def _options(
    cells: tuple[CellKind, ...] | None,
    widths: tuple[int, ...] | None,
    folds: int,
    effort: float,
    seed: int,
    *,
    curve: bool,
) -> Options:
    from ltc_edge.evaluation.sizing.learning_curve import CELLS as ALL
    from ltc_edge.evaluation.sizing.learning_curve import WIDTHS, Work
    from ltc_edge.evaluation.sizing.report import Options

    work = Work(effort=effort, seed=seed)
    return Options((cells or ALL) if curve else (), widths or WIDTHS, folds, work, seed)
