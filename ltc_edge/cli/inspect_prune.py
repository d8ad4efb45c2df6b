"""``ltc-edge inspect --prune``: a run with fewer synapses that does the same."""

from __future__ import annotations

import shlex
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ltc_edge.cli.output import stages

if TYPE_CHECKING:
    from ltc_edge.evaluation.inspection.pruning import Pruned


@dataclass(frozen=True)
class Asked:
    """What the user said.

    Attributes:
        subject: the run.
        output: where the new run goes.
        episodes, seed: what verifies it.
        finetune: whether what is left may learn.
        tolerance: largest loss accepted, in percent; None for what luck may do.
        force: replace a run that is at ``output``.
        quiet: without words.
    """

    subject: Path
    output: Path | None
    episodes: int
    seed: int
    finetune: bool
    tolerance: float | None
    force: bool
    quiet: bool


def pruned(asked: Asked) -> dict[str, Any]:
    """Prune, write the new run, and say what became of it; the document for ``--json``.

    Raises:
        InputError: there is nothing to prune, or nowhere to write.
        CheckFailedError: nothing can be removed, or nothing stands its verification.
    """
    from ltc_edge.cli.evaluated import REFERENCE, is_bundle, open_run
    from ltc_edge.errors import InputError
    from ltc_edge.evaluation.closed_loop import check_fit
    from ltc_edge.evaluation.inspection.ground import ground_of_recordings, ground_of_task
    from ltc_edge.evaluation.inspection.pruned_run import (
        pruning_document,
        refuse_existing,
        write_pruned_run,
    )
    from ltc_edge.evaluation.inspection.pruning import prune
    from ltc_edge.evaluation.recordings import evaluate_recordings
    from ltc_edge.training.sources import ClosedLoopSource

    if asked.output is None:
        raise click.UsageError("--prune writes a new run: say where with -o")
    if is_bundle(asked.subject):
        raise InputError(f"{asked.subject}: is a bundle; prune the run that it was exported from")
    evaluated = open_run(asked.subject, REFERENCE)
    refuse_existing(asked.output, force=asked.force)
    started = time.monotonic()
    with stages() as on_stage:
        if isinstance(evaluated.source, ClosedLoopSource):
            task = evaluated.source.load()
            check_fit(task, evaluated.controller)
            ground = ground_of_task(task, asked.episodes, asked.seed)
        else:
            data, _ = evaluated.source.load()
            ground = ground_of_recordings(data)
        tune = None
        if asked.finetune:
            from ltc_edge.evaluation.inspection.relearning import relearner

            tune = relearner(evaluated.controller, ground.subject, asked.seed)
        tolerance = None if asked.tolerance is None else asked.tolerance / 100.0
        found = prune(evaluated.controller, ground, tune=tune, tolerance=tolerance, on_stage=on_stage)
    if isinstance(evaluated.source, ClosedLoopSource):
        value = found.comparison.after
    else:
        value = evaluate_recordings(data, found.after).value
    seconds = time.monotonic() - started
    write_pruned_run(found, asked.subject, asked.output, value=value, seconds=seconds, force=asked.force)
    if not asked.quiet:
        _say(found, asked.output)
    about = {"run": str(asked.output), "pruned_from": str(asked.subject)}
    return about | pruning_document(found, seconds)


def _say(found: Pruned, output: Path) -> None:
    before, after = found.synapses
    comparison = found.comparison
    click.echo(
        f"{before - after} of {before} synapses are gone ({found.removed_share:.0%}), and with them "
        f"{found.before.cell.units - found.after.cell.units} of {found.before.cell.units} neurons: "
        f"{found.after.parameters_effective()} parameters instead of {found.before.parameters_effective()}."
    )
    low, high = comparison.before_ci95
    click.echo(
        f"On {found.verified_on}, which the search never saw, the score is {comparison.after:.6g}; before it "
        f"was {comparison.before:.6g} ({low:.6g} to {high:.6g})."
    )
    low, high = comparison.lost_ci95
    click.echo(
        f"Lost, over pairs: {comparison.lost:.3g} (95 % interval {low:.3g} to {high:.3g}), "
        f"where {comparison.margin:.3g} is accepted."
    )
    if found.refused:
        click.echo(f"{found.refused} smaller ones did not stand their verification.")
    if found.unheard:
        click.echo(
            f"It no longer hears {', '.join(found.unheard)}, which these episodes do not need. See whether "
            "yours do, and what is left of robustness: ltc-edge evaluate --corrupt all"
        )
    if found.tuned:
        click.echo("What is left was fine-tuned.")
    click.echo(f"Next: ltc-edge evaluate {shlex.quote(str(output))}")
