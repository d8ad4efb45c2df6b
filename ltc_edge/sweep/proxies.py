"""Placeholder while this is written: proxies are refused."""

from __future__ import annotations

from ltc_edge.errors import InputError
from ltc_edge.sweep.exported import Exported
from ltc_edge.sweep.measurement import MeasurementPlan
from ltc_edge.sweep.stopwatch import Stopwatch
from ltc_edge.verification.task_trial import Loaded


def proxy_figures(_: Exported, __: Loaded, ___: MeasurementPlan, ____: Stopwatch) -> dict[str, float]:
    """Refuses."""
    raise InputError("--proxy is not available yet")


def estimated_costs(_: Exported, __: str) -> dict[str, float]:
    """Refuses."""
    raise InputError("--proxy is not available yet")
