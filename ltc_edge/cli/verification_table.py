"""What a verification showed, as a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from ltc_edge.cli.output import console, one_line

if TYPE_CHECKING:
    from ltc_edge.verification.report import FormatReport


def summaries(reports: Mapping[str, FormatReport]) -> dict[str, Any]:
    """The reports as ``--json`` has them."""
    return {name: report.summary() for name, report in reports.items()}


def print_reports(title: str, reports: Mapping[str, FormatReport], note: str | None) -> None:
    """The table, then what was refused or failed, a line each."""
    from rich import box
    from rich.table import Table

    table = Table(
        title=one_line(title),
        title_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        collapse_padding=True,
    )
    table.add_column("format", no_wrap=True)
    table.add_column("", no_wrap=True)
    for heading in ("bytes", "RMS,\n% of σ", "worst\nerror", "return,\nscore", "lost,\n%"):
        table.add_column(heading, justify="right", no_wrap=True)
    for name, report in reports.items():
        table.add_row(name, report.status, *_figures(report))
    console().print(table)
    shared: dict[str, list[str]] = {}
    for name, report in reports.items():
        if report.detail is not None:
            shared.setdefault(f"{report.status} ({report.reason}): {report.detail}", []).append(name)
        for failure in report.failures:
            click.echo(f"{name}: {failure}")
    for why, names in shared.items():
        click.echo(f"{', '.join(names)}: {why}")
    if note is not None:
        click.echo(f"The task was not run: {note}")


def _figures(report: FormatReport) -> tuple[str, ...]:
    summary = report.summary()
    size = "" if report.bytes is None else f"{report.bytes:,}"
    rms, worst = summary["rms_over_sigma"], summary["max_abs_error"]
    task = None if report.verdict is None else report.verdict.task
    value = lost = ""
    if task is not None:
        value, lost = task.figures()
    return (
        size,
        "" if rms is None else f"{100 * rms:.2g}",
        "" if worst is None else f"{worst:.2g}",
        value,
        lost,
    )
