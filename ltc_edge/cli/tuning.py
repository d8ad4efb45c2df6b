"""Options of ``ltc-edge export`` that change a controller after its training, and what is said of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ltc_edge.cells.spec import MAX_UNFOLDS, SOLVERS
from ltc_edge.cli.options import stack

if TYPE_CHECKING:
    from ltc_edge.bundle.pipeline import ExportResult

tuning_options = stack(
    [
        click.option("--solver", type=click.Choice(sorted(SOLVERS)), help="Another solver of an LTC."),
        click.option(
            "--unfolds",
            type=click.IntRange(1, MAX_UNFOLDS),
            help="Other sub-steps of the solver of an LTC or CT-RNN.",
        ),
        click.option(
            "--finetune",
            is_flag=True,
            help="Train a little, to win back what another solver and rounding to integers cost.",
        ),
        click.option("--seed", type=click.IntRange(min=0), help="Of --finetune; 0 where not given."),
    ]
)


def changed_json(result: ExportResult) -> dict[str, Any]:
    """The key ``change`` of ``--json``; nothing where nothing was changed."""
    if result.change is None:
        return {}
    document = result.change.to_json()
    for entry, phase in zip(document["finetuned"], result.change.phases, strict=True):
        entry["seconds"] = round(phase.seconds, 3)
    cost = result.cost
    document["cost"] = None if cost is None else cost.to_json()
    document["formats_lost_percent"] = {}
    if cost is not None:
        for name, report in result.reports.items():
            figure = report.task_figure
            if figure is not None:
                document["formats_lost_percent"][name] = cost.lost(figure)
    return {"change": document}
