"""``ltc-edge inspect``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from ltc_edge.cli.options import FILE, Finite, json_option, output_option, trust_task_option
from ltc_edge.cli.output import print_json, stages

if TYPE_CHECKING:
    from ltc_edge.cli.evaluated import Evaluated
    from ltc_edge.evaluation.inspection.inspection import Inspection

LOOKED_AT, VERIFIED = 10, 100
"""Episodes where none are asked for."""

CUTS = {"all": ("observation", "neuron", "synapse"), "neurons": ("observation", "neuron"), "none": ()}


@click.command("inspect")
@click.argument("subject", metavar="RUN|BUNDLE", type=FILE)
@click.option(
    "--episodes",
    type=click.IntRange(2, 10_000),
    help=f"Of a control task: what is looked at, and what each cut plays; {LOOKED_AT}. With --prune, what "
    f"verifies; {VERIFIED}.",
)
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the first episode."
)
@click.option(
    "--cut",
    type=click.Choice(list(CUTS)),
    default="all",
    show_default=True,
    help="What is cut one by one; neurons means observations too.",
)
@click.option(
    "--prune", is_flag=True, help="Remove synapses while the loop holds, and write the run -o that is left."
)
@click.option(
    "--finetune", is_flag=True, help="With --prune: let what is left learn to do what all of it did."
)
@click.option(
    "--tolerance",
    type=Finite(0.0, 100.0),
    metavar="PERCENT",
    help="With --prune: the largest loss accepted, in percent of what the controller gains on doing nothing; "
    "by default what luck may do to the return of so many episodes, and at most 1.",
)
@output_option(
    "Folder for pictures, new or empty: wiring, activity, drives and cuts. With --prune, the new run.",
    required=False,
)
@click.option("--force", is_flag=True, help="Replace what is in the folder.")
@trust_task_option
@json_option
@click.pass_context
def command(
    context: click.Context,
    /,
    subject: Path,
    episodes: int | None,
    seed: int,
    cut: str,
    prune: bool,
    finetune: bool,
    tolerance: float | None,
    output: Path | None,
    force: bool,
    trust_task: bool,
    as_json: bool,
) -> None:
    """Look into a controller: its wiring, what its neurons do, what drives each action, what cuts cost.

    RUN is a folder of `ltc-edge train`, BUNDLE one of `ltc-edge export`. With --prune, synapses of a RUN
    are removed instead; exit code 1 says that none could be, or that what was left did not stand its
    verification.
    """
    if prune:
        from ltc_edge.cli.inspect_prune import Asked, pruned

        _refuse_cut(context)
        asked = Asked(subject, output, episodes or VERIFIED, seed, finetune, tolerance, force, as_json)
        document = pruned(asked)
        if as_json:
            print_json(document)
        return
    if finetune or tolerance is not None:
        raise click.UsageError("--finetune and --tolerance are of --prune: say that too")
    from ltc_edge.cli.evaluated import REFERENCE, is_bundle, open_bundle, open_run
    from ltc_edge.cli.inspect_document import inspection_document

    evaluated = (
        open_bundle(subject, REFERENCE, None, trust_task=trust_task)
        if is_bundle(subject)
        else open_run(subject, REFERENCE)
    )
    inspection = _inspect(evaluated, episodes or LOOKED_AT, seed, cut)
    drawn = [] if output is None else _draw(inspection, output, force=force)
    if as_json:
        about = {"run": str(subject), "pictures": [str(path) for path in drawn]}
        print_json(about | inspection_document(inspection))
        return
    from ltc_edge.cli.inspect_table import print_inspection

    print_inspection(inspection, evaluated.source.name)
    for path in drawn:
        click.echo(f"Drawn: {path}")


def _refuse_cut(context: click.Context) -> None:
    if context.get_parameter_source("cut") is ParameterSource.COMMANDLINE:
        raise click.UsageError("--cut is for looking into a controller, and --prune changes one")


def _inspect(evaluated: Evaluated, episodes: int, seed: int, cut: str) -> Inspection:
    from ltc_edge.evaluation.closed_loop import evaluation_seeds
    from ltc_edge.evaluation.inspection.inspection import inspect_recordings, inspect_task
    from ltc_edge.evaluation.inspection.parts import Kind
    from ltc_edge.training.sources import ClosedLoopSource

    kinds = tuple(map(Kind, CUTS[cut]))
    source, controller = evaluated.source, evaluated.controller
    with stages() as on_stage:
        if isinstance(source, ClosedLoopSource):
            seeds = evaluation_seeds(episodes, seed)
            return inspect_task(source.load(), controller, seeds, kinds=kinds, on_stage=on_stage)
        data, _ = source.load()
        return inspect_recordings(data, controller, kinds=kinds, on_stage=on_stage)


def _draw(inspection: Inspection, output: Path, *, force: bool) -> list[Path]:
    from ltc_edge.evaluation.inspection.pictures import draw_pictures
    from ltc_edge.files import create_folder

    create_folder(output, force=force)
    return draw_pictures(inspection, output)
