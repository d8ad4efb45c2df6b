"""What ``ltc-edge robustness --json`` prints; docs/lipschitz.md names the keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from ltc_edge.arrays import FloatArray
    from ltc_edge.controller import Controller
    from ltc_edge.evaluation.lipschitz.contraction import Contraction
    from ltc_edge.evaluation.lipschitz.proved import Proved, Range
    from ltc_edge.evaluation.lipschitz.report import RobustnessReport
    from ltc_edge.evaluation.lipschitz.survey import Surveyed
    from ltc_edge.evaluation.margins.figures import Margins
    from ltc_edge.evaluation.margins.loop import LoopMargins


def document(controller: Controller, report: RobustnessReport) -> dict[str, Any]:
    """Everything; None for what is infinite, a reason under ``unavailable`` for what is not to be had."""
    return {
        "cell": controller.cell.kind,
        "parameters_effective": controller.parameters_effective(),
        "points": report.points,
        "brackets": [_surveyed(controller, each) for each in report.surveyed],
        "contraction": [{"radius": radius, **_contraction(found)} for radius, found in report.near.items()],
        "contraction_everywhere": _or_reason(report.everywhere, _contraction),
        "proved": _or_reason(report.proved, _proved),
        "margins": _or_reason(report.margins, lambda found: _margins(controller, found)),
    }


def raw_entries(controller: Controller, entries: FloatArray) -> FloatArray:
    """Derivatives ``(M, n·I)`` of normalised quantities as ones of raw quantities, a column a reading."""
    times = entries.shape[1] // len(controller.observations)
    result: FloatArray = (
        entries * controller.denormalizer.scale[:, None] / np.tile(controller.normalizer.scale, times)
    )
    return result


def _or_reason(found: Any, made: Any) -> Any:
    return {"unavailable": found} if isinstance(found, str) else made(found)


def _surveyed(controller: Controller, found: Surveyed) -> dict[str, Any]:
    box, brackets = found.box, found.brackets
    ratios = brackets.ratio
    upper, lower = brackets.entries.max(axis=0), brackets.entries_lower.max(axis=0)
    return {
        "change": box.change,
        "steps": box.steps,
        "radius": box.radius,
        "with_state": box.with_state,
        "upper": number(found.upper),
        "lower": number(found.lower),
        "ratio": found.ratio,
        "ratio_median": number(float(np.median(ratios))),
        "ratio_worst": number(float(ratios.max())),
        "boxes_reaching_clip": found.clipped,
        "entries_upper": numbers(upper),
        "entries_lower": numbers(lower),
        "entries_upper_raw": numbers(raw_entries(controller, upper)),
        "entries_lower_raw": numbers(raw_entries(controller, lower)),
    }


def _contraction(found: Contraction) -> dict[str, Any]:
    return {
        "certified": found.certified,
        "rate": number(found.bound) if found.certified else None,
        "bound": number(found.bound),
        "norm": found.norm,
        "spectral_radius": found.spectral_radius,
    }


def _proved(found: Proved) -> dict[str, Any]:
    return {
        "state": None if found.state is None else _range(found.state),
        "time_constant_s": _range(found.time_constant_s),
    }


def _range(found: Range) -> dict[str, Any]:
    return {
        "low": numbers(found.low),
        "high": numbers(found.high),
        "seen_low": numbers(found.seen_low),
        "seen_high": numbers(found.seen_high),
        "used": numbers(found.used),
        "holds": found.holds,
    }


def _margins(controller: Controller, found: LoopMargins) -> dict[str, Any]:
    rows: Mapping[str, Margins] = dict(
        zip((signal.name for signal in controller.actions), found.actuators, strict=True)
    )
    return {
        "at_observation": numbers(found.observation),
        "at_action": numbers(found.action),
        "left_out": found.left_out,
        "spectral_radius": found.spectral_radius,
        "eigenvalues": [[value.real, value.imag] for value in found.eigenvalues.tolist()],
        "actuators": {name: _actuator(row, found.period_s) for name, row in rows.items()},
    }


def _actuator(row: Margins, period_s: float) -> dict[str, Any]:
    low, high = row.disk_gain
    delay = row.delay_periods
    crossover = row.crossover_rad_period
    return {
        "gain_up": row.gain_up,
        "gain_down": row.gain_down,
        "phase_deg": row.phase_deg,
        "delay_periods": delay,
        "delay_s": None if delay is None else delay * period_s,
        "crossover_rad_s": None if crossover is None else crossover / period_s,
        "sensitivity_peak": row.sensitivity_peak,
        "disk": row.disk,
        "disk_gain": [low, high],
        "disk_phase_deg": row.disk_phase_deg,
    }


def number(value: float) -> float | None:
    """A figure, or None where it is not finite."""
    return value if np.isfinite(value) else None


def numbers(values: FloatArray) -> list[Any]:
    """Figures as nested lists, None where they are not finite."""
    return [numbers(row) if np.ndim(row) else number(float(row)) for row in values]
