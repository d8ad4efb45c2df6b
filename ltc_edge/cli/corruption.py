"""``ltc-edge evaluate --corrupt``: which corruptions, playing them, and what is said of them."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ltc_edge.cli.corruption_document import campaign_document, fault_document
from ltc_edge.cli.output import stages
from ltc_edge.errors import InputError, LtcEdgeError
from ltc_edge.evaluation.corruption.pack import PACK

if TYPE_CHECKING:
    from ltc_edge.cli.evaluated import Evaluated
    from ltc_edge.evaluation.corruption.campaign import Campaign, Curve
    from ltc_edge.evaluation.corruption.faults import FaultReport
    from ltc_edge.tasks.protocol import Task

ALL, FAULTS = "all", "faults"
FEWEST_EPISODES = 20
"""Fewer say little about rare failures: an interval of 0 of 20 reaches to 16 %."""


@dataclass(frozen=True)
class Chosen:
    """What ``--corrupt`` asks for: kinds of the pack, in its order, and whether faults too."""

    kinds: tuple[str, ...]
    faults: bool


def chosen_corruption(_: click.Context, __: click.Parameter, value: str | None) -> Chosen | None:
    """Callback: ``all``, ``faults``, or names of kinds."""
    if value is None:
        return None
    names = {part.strip() for part in value.split(",")}
    known = (*PACK.names, ALL, FAULTS)
    for name in sorted(names - set(known)):
        nearest = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {nearest[0]!r}? " if nearest else ""
        raise click.BadParameter(f"there is no corruption {name!r}: {hint}there are {', '.join(known)}")
    kinds = PACK.names if ALL in names else tuple(name for name in PACK.names if name in names)
    return Chosen(kinds, FAULTS in names)


@dataclass(frozen=True, eq=False)
class Asked:
    """How to play.

    Attributes:
        what: which corruptions.
        seeds: of the episodes.
        place: what executes the controller, for tables and pictures.
        reference: whether the float64 reference is played beside, for comparison.
        picture: where the curves are drawn, if anywhere.
        quiet: without tables.
    """

    what: Chosen
    seeds: range
    place: str
    reference: bool
    picture: Path | None
    quiet: bool


def corrupted(task: Task, evaluated: Evaluated, asked: Asked) -> tuple[dict[str, Any], str | None]:
    """Play, and print tables; the document, and which faults were not answered, if any.

    What is done when the work is interrupted, or a target vanishes, is shown before the error is.

    Raises:
        InputError: the controller does not fit the task, or the task can have none of the kinds.
        LtcEdgeError: what executes the controller fails, or is gone.
    """
    from ltc_edge.evaluation.closed_loop import check_fit

    check_fit(task, evaluated.controller)
    document = _kinds(task, evaluated, asked) if asked.what.kinds else {}
    if not asked.what.faults:
        return document, None
    reports = _faults(task, evaluated, asked)
    broken = ", ".join(report.fault.name for report in reports if not report.holds)
    failure = f"faults not answered as docs/robustness.md promises: {broken}" if broken else None
    return document | {"faults": [fault_document(report) for report in reports]}, failure


def _kinds(task: Task, evaluated: Evaluated, asked: Asked) -> dict[str, Any]:
    from ltc_edge.cli.corruption_table import print_curves
    from ltc_edge.evaluation.corruption.corrupted_task import refusal

    refusals = {kind: reason for kind in asked.what.kinds if (reason := refusal(task, kind)) is not None}
    if len(refusals) == len(asked.what.kinds):
        raise InputError("; ".join(f"{kind} cannot be had: {reason}" for kind, reason in refusals.items()))
    title = f"{task.name}, {asked.place}, {len(asked.seeds)} episodes"
    curves: list[Curve] = []
    campaign = None
    try:
        with stages() as on_share:
            campaign = _campaign(task, evaluated, asked, partial(on_share, "uncorrupted"))
            for kind in asked.what.kinds:
                if kind in refusals:
                    continue
                curves.append(campaign.curve(kind, partial(on_share, kind)))
    except (KeyboardInterrupt, LtcEdgeError):
        if campaign is not None and curves and not asked.quiet:
            print_curves(campaign, curves, refusals, f"{title}, not finished")
        raise
    if not asked.quiet:
        print_curves(campaign, curves, refusals, title)
    notes = _notes(task, campaign, asked.seeds)
    for note in notes:
        click.echo(f"Note: {note}", err=True)
    if asked.picture is not None:
        from ltc_edge.evaluation.corruption.picture import draw_curves

        draw_curves(campaign.nominal, curves, f"{title}, corruption pack {PACK.version}", asked.picture)
    document = campaign_document(task, campaign, curves, asked.seeds)
    return document | {"unavailable": refusals, "notes": notes}


def _campaign(task: Task, evaluated: Evaluated, asked: Asked, on_share: Callable[[float], None]) -> Campaign:
    from ltc_edge.evaluation.corruption.campaign import Campaign
    from ltc_edge.runtimes.reference import ReferenceBatch

    reference = ReferenceBatch(evaluated.controller) if asked.reference else None
    return Campaign(task, evaluated.policy, asked.seeds, reference=reference, on_share=on_share)


def _faults(task: Task, evaluated: Evaluated, asked: Asked) -> tuple[FaultReport, ...]:
    from ltc_edge.cli.corruption_table import print_faults
    from ltc_edge.evaluation.corruption.faults import fault_reports

    with stages() as on_share:
        reports = fault_reports(
            task,
            evaluated.controller,
            evaluated.make_stepper(),
            asked.seeds[0],
            partial(on_share, FAULTS),
        )
    if not asked.quiet:
        print_faults(reports, f"{task.name}, {asked.place}")
    return reports


def _notes(task: Task, campaign: Campaign, seeds: range) -> list[str]:
    """What must be known to read the figures."""
    notes = []
    if len(seeds) < FEWEST_EPISODES:
        notes.append(
            f"with {len(seeds)} episodes intervals are wide; quote figures of {FEWEST_EPISODES} or more"
        )
    resting = [s.name for s, sigma in zip(task.observations, campaign.sigma, strict=True) if not sigma]
    if resting:
        notes.append(
            f"{', '.join(resting)} never moves under the expert: what is measured in σ leaves it alone"
        )
    if campaign.yardstick.way is None:
        notes.append("the expert does no better than nothing on these seeds: returns cannot be normalised")
    return notes
