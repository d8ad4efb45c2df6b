"""``ltc-edge evaluate --corrupt``: which corruptions, playing them, and what is said of them."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ltc_edge.cli.output import stages
from ltc_edge.errors import LtcEdgeError
from ltc_edge.evaluation.corruption.pack import PACK

if TYPE_CHECKING:
    from ltc_edge.cli.evaluated import Evaluated
    from ltc_edge.evaluation.corruption.campaign import Campaign, Curve
    from ltc_edge.evaluation.corruption.faults import FaultReport
    from ltc_edge.evaluation.corruption.scores import Score
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
        title: the task and what executes the controller, for tables and pictures.
        reference: whether the float64 reference is played beside, for comparison.
        picture: where the curves are drawn, if anywhere.
        quiet: without tables.
    """

    what: Chosen
    seeds: range
    title: str
    reference: bool
    picture: Path | None
    quiet: bool


def corrupted(task: Task, evaluated: Evaluated, asked: Asked) -> tuple[dict[str, Any], str | None]:
    """Play, and print tables; the document, and the first promise that was broken, if any.

    What is done when the work is interrupted, or a target vanishes, is shown before the error is.
    """
    from ltc_edge.cli.corruption_table import print_curves, print_faults

    document: dict[str, Any] = {}
    failure = None
    if asked.what.kinds:
        title = f"{asked.title}, {len(asked.seeds)} episodes"
        curves: list[Curve] = []
        campaign, refusals = None, _refusals(task, asked.what.kinds)
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
        notes = _notes(task, campaign, asked.seeds)
        document |= _document(task, campaign, curves, asked.seeds) | {"unavailable": refusals, "notes": notes}
        if not asked.quiet:
            print_curves(campaign, curves, refusals, title)
        for note in notes:
            click.echo(f"Note: {note}", err=True)
        _draw(campaign, curves, asked)
    if asked.what.faults:
        reports = _faults(task, evaluated, asked)
        document["faults"] = [_fault_document(report) for report in reports]
        if not asked.quiet:
            print_faults(reports, asked.title)
        broken = [report.fault.name for report in reports if not report.holds]
        failure = (
            f"faults not answered as docs/robustness.md promises: {', '.join(broken)}" if broken else None
        )
    return document, failure


def _campaign(task: Task, evaluated: Evaluated, asked: Asked, on_share: Callable[[float], None]) -> Campaign:
    from ltc_edge.evaluation.corruption.campaign import Campaign
    from ltc_edge.runtimes.reference import ReferenceBatch

    reference = ReferenceBatch(evaluated.controller) if asked.reference else None
    return Campaign(task, evaluated.policy, asked.seeds, reference=reference, on_share=on_share)


def _refusals(task: Task, kinds: tuple[str, ...]) -> dict[str, str]:
    from ltc_edge.evaluation.corruption.corrupted_task import refusal

    found = {kind: refusal(task, kind) for kind in kinds}
    return {kind: reason for kind, reason in found.items() if reason is not None}


def _faults(task: Task, evaluated: Evaluated, asked: Asked) -> tuple[FaultReport, ...]:
    from ltc_edge.evaluation.corruption.faults import fault_reports

    with stages() as on_share:
        return fault_reports(
            task,
            evaluated.controller,
            evaluated.make_stepper(),
            asked.seeds[0],
            partial(on_share, FAULTS),
        )


def _draw(campaign: Campaign, curves: list[Curve], asked: Asked) -> None:
    if asked.picture is not None and curves:
        from ltc_edge.evaluation.corruption.picture import draw_curves

        title = f"{asked.title}, {len(asked.seeds)} episodes, corruption pack {PACK.version}"
        draw_curves(campaign.nominal, curves, title, asked.picture)


def _notes(task: Task, campaign: Campaign, seeds: range) -> list[str]:
    """What must be known to read the figures."""
    notes = []
    if len(seeds) < FEWEST_EPISODES:
        notes.append(f"{len(seeds)} episodes say little; quote figures of {FEWEST_EPISODES} or more")
    resting = [s.name for s, sigma in zip(task.observations, campaign.sigma, strict=True) if not sigma]
    if resting:
        notes.append(
            f"{', '.join(resting)} never moves under the expert: what is measured in σ leaves it alone"
        )
    if campaign.yardstick.way is None:
        notes.append("the expert does no better than nothing on these seeds: returns cannot be normalised")
    return notes


def _document(task: Task, campaign: Campaign, curves: list[Curve], seeds: range) -> dict[str, Any]:
    areas = [curve.area for curve in curves if curve.area is not None]
    return {
        "episodes": len(seeds),
        "first_seed": seeds[0],
        "pack": {"version": PACK.version, "sha256": PACK.sha256},
        "expert_return_mean": float(campaign.yardstick.expert.mean()),
        "zero_return_mean": float(campaign.yardstick.zero.mean()),
        "failure": campaign.yardstick.failure,
        "sigma": {s.name: float(x) for s, x in zip(task.observations, campaign.sigma, strict=True)},
        **_score_document(campaign.nominal),
        "area_mean": sum(areas) / len(areas) if areas else None,
        "corruptions": {curve.kind: _curve_document(curve) for curve in curves},
    }


def _curve_document(curve: Curve) -> dict[str, Any]:
    return {
        "unit": PACK[curve.kind].unit,
        "levels": list(PACK[curve.kind].levels),
        "area": curve.area,
        "reference_area": curve.reference_area,
        "relative_area": curve.relative_area,
        "severities": [_score_document(each) for each in curve.scores],
    }


def _score_document(score: Score) -> dict[str, Any]:
    return {
        "return_mean": score.returns.mean,
        "return_std": score.returns.std,
        "return_ci95": list(score.returns.ci95),
        "return_worst": score.returns.lowest,
        "return_normalised": score.normalised,
        "failures": score.failures,
        "failure_rate": score.failure_rate,
        "failure_ci95": list(score.failure_ci95),
    }


def _fault_document(report: FaultReport) -> dict[str, Any]:
    return {
        "fault": report.fault.name,
        "steps": report.steps,
        "status_bits": report.bits if report.in_c else None,
        "refusals": None if report.in_c else report.refusals,
        "message": report.message,
        "answered": report.answered,
        "actions_sound": report.actions_sound,
        "state_kept": report.state_kept,
        "recovered": report.recovered,
        "holds": report.holds,
    }
