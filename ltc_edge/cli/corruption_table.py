"""Tables of ``ltc-edge evaluate --corrupt``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import click
from rich.table import Table

from ltc_edge.cli.output import console
from ltc_edge.evaluation.corruption.areas import Area
from ltc_edge.evaluation.corruption.campaign import Campaign, Curve
from ltc_edge.evaluation.corruption.faults import FaultReport
from ltc_edge.evaluation.corruption.pack import PACK, SEVERITIES
from ltc_edge.evaluation.corruption.scores import Score


def print_curves(
    campaign: Campaign, curves: Sequence[Curve], refusals: Mapping[str, str], title: str
) -> None:
    """A row a kind, a column a severity; narrow enough for 80 characters."""
    compared = any(curve.relative_area is not None for curve in curves)
    table = Table("severity", title=title, show_lines=True)
    for heading in ("area", *map(str, SEVERITIES)):
        table.add_column(heading, justify="right", no_wrap=True)
    for curve in curves:
        kind = PACK[curve.kind]
        area = _area(curve.area) + (f"\n× {_area(curve.relative_area)}" if compared else "")
        cells = [_cell(level, score) for level, score in zip(kind.levels, curve.scores, strict=True)]
        table.add_row(f"{curve.kind}\n[{kind.unit}]", area, *cells)
    console().print(table)
    nominal = campaign.nominal
    low, high = nominal.failure_ci95
    click.echo(
        f"Uncorrupted: return {_number(nominal.normalised)}, failure rate {nominal.failure_rate:.0%} "
        f"({100 * low:.0f}–{100 * high:.0f}%)."
    )
    click.echo(
        "Each cell: level; return, 0 for doing nothing and 1 for the expert, both uncorrupted; failure rate "
        "and its 95 % interval. Area: the mean height of the returns' curve with its interval"
        f"{'; ×: as a share of that of the float64 reference' if compared else ''}."
    )
    click.echo(f"An episode fails where {campaign.yardstick.failure}.")
    for kind_name, reason in refusals.items():
        click.echo(f"{kind_name} cannot be had: {reason}")
    click.echo(f"Corruption pack {PACK.version}, SHA-256 {PACK.sha256}")


def print_faults(reports: Sequence[FaultReport], title: str) -> None:
    """A row a fault: what answered, and whether what is promised was seen."""
    table = Table("fault", "what answered", "steps", "actions", "state", "promise", title=f"{title}: faults")
    for report in reports:
        table.add_row(
            report.fault.name,
            _answer(report),
            str(report.steps),
            "finite, in limits" if report.actions_sound else "NOT SOUND",
            "untouched" if report.state_kept == report.steps else "moved on",
            "none" if report.answered is None and report.holds else ("kept" if report.holds else "BROKEN"),
        )
    console().print(table)
    for report in reports:
        if report.message is not None:
            click.echo(f"{report.fault.name}: {report.message}")


def _answer(report: FaultReport) -> str:
    if not report.in_c:
        return f"InputError ({report.refusals})" if report.refusals else "nothing: the action as computed"
    bits = ", ".join(f"{name} ({count})" for name, count in report.bits.items())
    return bits or "OK: it cannot be seen"


def _area(area: Area | None) -> str:
    return "—" if area is None else f"{area.value:.2f}\n{area.ci95[0]:.2f}–{area.ci95[1]:.2f}"


def _cell(level: float, score: Score) -> str:
    low, high = score.failure_ci95
    rate = f"{score.failure_rate:.0%}\n{100 * low:.0f}–{100 * high:.0f}%"
    return f"{level:g}\n{_number(score.normalised)}\n{rate}"


def _number(value: float | None) -> str:
    return "—" if value is None else f"{round(value, 2) + 0.0:.2f}"
