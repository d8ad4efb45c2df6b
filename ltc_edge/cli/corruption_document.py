"""What ``ltc-edge evaluate --corrupt --json`` prints; docs/robustness.md names the keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ltc_edge.evaluation.corruption.pack import PACK

if TYPE_CHECKING:
    from ltc_edge.evaluation.corruption.areas import Area
    from ltc_edge.evaluation.corruption.campaign import Campaign, Curve
    from ltc_edge.evaluation.corruption.faults import FaultReport
    from ltc_edge.evaluation.corruption.scores import Score
    from ltc_edge.tasks.protocol import Task


def campaign_document(
    task: Task, campaign: Campaign, curves: Sequence[Curve], seeds: range
) -> dict[str, Any]:
    """The uncorrupted figures, and those of every kind that was played."""
    areas = [curve.area.value for curve in curves if curve.area is not None]
    return {
        "episodes": len(seeds),
        "first_seed": seeds[0],
        "pack": {"version": PACK.version, "sha256": PACK.sha256},
        "expert_return_mean": float(campaign.yardstick.expert.mean()),
        "zero_return_mean": float(campaign.yardstick.zero.mean()),
        "failure": campaign.yardstick.failure,
        "sigma": {s.name: float(x) for s, x in zip(task.observations, campaign.sigma, strict=True)},
        **score_document(campaign.nominal),
        "area_mean": sum(areas) / len(areas) if areas else None,
        "corruptions": {curve.kind: _curve_document(curve) for curve in curves},
    }


def _curve_document(curve: Curve) -> dict[str, Any]:
    return {
        "unit": PACK[curve.kind].unit,
        "levels": list(PACK[curve.kind].levels),
        **_area_document("area", curve.area),
        **_area_document("relative_area", curve.relative_area),
        "severities": [score_document(each) for each in curve.scores],
    }


def _area_document(name: str, area: Area | None) -> dict[str, Any]:
    return {name: area and area.value, f"{name}_ci95": area and list(area.ci95)}


def score_document(score: Score) -> dict[str, Any]:
    """Returns and failures under one condition."""
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


def fault_document(report: FaultReport) -> dict[str, Any]:
    """What answered one fault."""
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
