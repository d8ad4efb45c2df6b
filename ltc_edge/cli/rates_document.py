"""What ``ltc-edge evaluate --rate --json`` prints; docs/native-rate.md names the keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ltc_edge.cli.corruption_document import score_document

if TYPE_CHECKING:
    from ltc_edge.controller import Timing
    from ltc_edge.evaluation.native_rate import Played, RateReport, RateResult
    from ltc_edge.evaluation.statistics import ReturnStatistics

SCHEMA = 1


def rates_document(report: RateReport, timing: Timing, seeds: range) -> dict[str, Any]:
    """The figures at the native rate, and those of every rate."""
    return {
        "rates_schema": SCHEMA,
        "episodes": len(seeds),
        "first_seed": seeds[0],
        "native_hz": 1.0 / timing.period_s,
        "dt_range_s": [timing.dt_min_s, timing.dt_max_s],
        "physics_step_s": report.physics_step_s,
        "expert_return_mean": float(report.yardstick.expert.mean()),
        "zero_return_mean": float(report.yardstick.zero.mean()),
        "failure": report.yardstick.failure,
        "as_trained": score_document(report.as_trained),
        **score_document(report.native),
        "rates": [_rate_document(result) for result in report.rates],
    }


def _rate_document(result: RateResult) -> dict[str, Any]:
    plan = result.plan
    return {
        "rate_hz": result.rate_hz,
        "status": "refused" if plan is None else "decimated" if plan.decimated else "stepped",
        "reason": result.refusal,
        "every": plan and plan.every,
        "step_s": plan and plan.step_s,
        "told": result.told and _played_document(result.told),
        "ignored": result.ignored and _played_document(result.ignored),
        "gained": result.gained and _difference(result.gained),
    }


def _played_document(played: Played) -> dict[str, Any]:
    return {
        **score_document(played.score),
        "lost": _difference(played.lost),
        "lost_percent": _difference(played.lost_percent),
    }


def _difference(statistics: ReturnStatistics) -> dict[str, Any]:
    return {"mean": statistics.mean, "ci95": list(statistics.ci95)}
