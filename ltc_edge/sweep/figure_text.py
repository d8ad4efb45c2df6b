"""Figures of trials as people read them."""

from __future__ import annotations

from ltc_edge.report.wording import MISSING
from ltc_edge.sweep.front import Figure
from ltc_edge.sweep.objectives import Objective


def value_text(value: float) -> str:
    """Whole numbers from a thousand on, four digits below; means of counts have no more that matters."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{float(f'{value:.4g}'):g}"


def unit_text(value: float, objective: Objective) -> str:
    """The value with its unit."""
    return f"{value_text(value)} {objective.unit}".rstrip()


def interval_text(figure: Figure | None) -> str:
    """The mean, and where seeds differ its 95 % interval; a dash for what was not measured."""
    if figure is None:
        return MISSING
    if figure.low is None or figure.high is None or figure.low == figure.high:
        return value_text(figure.mean)
    return f"{value_text(figure.mean)} ({value_text(figure.low)} to {value_text(figure.high)})"


def reach_text(figure: Figure) -> str | None:
    """How far the interval reaches on either side, to two digits; None where seeds do not differ."""
    if figure.low is None or figure.high is None or figure.low == figure.high:
        return None
    reach = float(f"{(figure.high - figure.low) / 2:.2g}")
    return value_text(reach)


def axis_text(objective: Objective) -> str:
    """The name with its unit, as an axis or a column is headed."""
    name = objective.name.removesuffix("_us").replace("_", " ")
    return f"{name} [{objective.unit}]" if objective.unit else name
