"""``ltc-edge robustness``."""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ltc_edge.cli.options import FILE, json_option, trust_task_option
from ltc_edge.cli.output import print_json, stages

if TYPE_CHECKING:
    from ltc_edge.cli.evaluated import Evaluated
    from ltc_edge.evaluation.visited import Visited
    from ltc_edge.tasks.protocol import Task

RADII = "0.01,0.05"


def _radii(_: click.Context, __: click.Parameter, value: str) -> tuple[float, ...]:
    """Callback: comma-separated positive numbers."""
    try:
        found = tuple(float(part) for part in value.split(","))
    except ValueError:
        raise click.BadParameter(f"{value!r} is not a list of numbers such as {RADII}") from None
    for radius in found:
        if not (math.isfinite(radius) and radius > 0):
            raise click.BadParameter(f"{radius:g} is not positive and finite, and so no half width of a box")
    return tuple(sorted(set(found)))


@click.command("robustness")
@click.argument("subject", metavar="RUN|BUNDLE", type=FILE)
@click.option(
    "--radius",
    "radii",
    default=RADII,
    show_default=True,
    callback=_radii,
    help="Half widths of the boxes around visited readings, in normalised units.",
)
@click.option(
    "--steps",
    type=click.IntRange(1, 1000),
    default=1,
    show_default=True,
    help="Also bracket rollouts of so many steps, from their readings to their last action.",
)
@click.option(
    "--points",
    type=click.IntRange(1, 100_000),
    default=64,
    show_default=True,
    help="Visited steps around which boxes are laid.",
)
@click.option(
    "--budget",
    type=click.IntRange(1, 1_000_000),
    default=64,
    show_default=True,
    help="Steps over boxes that may be looked at for each; more give narrower brackets.",
)
@click.option(
    "--episodes", type=click.IntRange(1, 10_000), default=8, show_default=True, help="Of a control task."
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Of the first episode, and of which visited steps are drawn.",
)
@trust_task_option
@json_option
def command(
    subject: Path,
    radii: tuple[float, ...],
    steps: int,
    points: int,
    budget: int,
    episodes: int,
    seed: int,
    trust_task: bool,
    as_json: bool,
) -> None:
    """By how much an action can change where a reading does, proved; and how far the loop is from
    instability.

    RUN is a folder of `ltc-edge train`, BUNDLE one of `ltc-edge export`. Where the controller goes is found
    by playing its task, or its test recordings. Over boxes around what it sees there, the Lipschitz constant
    from
    readings to action is bracketed: a bound from above that is proved, and one from below that is attained.
    docs/lipschitz.md has the definitions.
    """
    from ltc_edge.cli.evaluated import REFERENCE, is_bundle, open_bundle, open_run
    from ltc_edge.cli.robustness_document import document
    from ltc_edge.cli.robustness_table import print_report
    from ltc_edge.evaluation.lipschitz.report import robustness_report

    evaluated = (
        open_bundle(subject, REFERENCE, None, trust_task=trust_task)
        if is_bundle(subject)
        else open_run(subject, REFERENCE)
    )
    with stages() as on_share:
        visited, task, seeds = _visited(evaluated, episodes, seed, partial(on_share, "visited"))
        report = robustness_report(
            evaluated.controller,
            visited,
            task,
            seeds,
            radii=radii,
            steps=steps,
            points=points,
            budget=budget,
            on_share=on_share,
        )
    if as_json:
        settings: dict[str, Any] = {"run": str(subject), "budget": budget, "seed": seed}
        print_json(settings | document(evaluated.controller, report))
    else:
        print_report(evaluated.controller, report)


def _visited(
    evaluated: Evaluated, episodes: int, seed: int, on_share: Any
) -> tuple[Visited, Task | None, range]:
    """Where the controller goes, its task, if it is one to close a loop with, and the episodes' seeds."""
    from ltc_edge.evaluation.closed_loop import check_fit, evaluation_seeds
    from ltc_edge.evaluation.visited import visited_in_closed_loop, visited_on_recordings
    from ltc_edge.training.sources import ClosedLoopSource

    on_share(0.0)
    seeds = evaluation_seeds(episodes, seed)
    if not isinstance(evaluated.source, ClosedLoopSource):
        data, _ = evaluated.source.load()
        return visited_on_recordings(data, evaluated.controller), None, seeds
    task = evaluated.source.load()
    check_fit(task, evaluated.controller)
    visited, _ = visited_in_closed_loop(task, evaluated.controller, seeds)
    return visited, task, seeds
