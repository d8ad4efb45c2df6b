"""The table of ``ltc-edge evaluate --rate``."""

from __future__ import annotations

import click
from rich.table import Table

from ltc_edge.cli.output import console
from ltc_edge.evaluation.corruption.scores import Score
from ltc_edge.evaluation.native_rate import RateReport, RateResult


def print_rates(report: RateReport, native_hz: float, title: str) -> None:
    """A row a rate; narrow enough for 80 characters."""
    table = Table(title=title)
    for heading in ("loop\n[Hz]", "stepped"):
        table.add_column(heading, no_wrap=True)
    for heading in ("return", "score\nfails", "lost, %\n95 % interval", "dt\nignored"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_row("as trained", "by the task", *_figures(report.as_trained), "", "")
    table.add_row(f"{native_hz:.6g}", "natively", *_figures(report.native), "", "", end_section=True)
    for result in report.rates:
        table.add_row(*_row(result))
    console().print(table)
    click.echo(
        "Score: 0 for doing nothing and 1 for the expert, both at the native rate. Lost: of the magnitude of "
        "the native return, on the same seeds. dt ignored: told the native period, whatever has passed."
    )
    click.echo(f"An episode fails where {report.yardstick.failure}.")
    click.echo(f"The plant moves in steps of at most {1000 * report.physics_step_s:.4g} ms at every rate.")
    for result in report.rates:
        if result.refusal is not None:
            click.echo(f"Refused: {result.refusal}")


def _figures(score: Score) -> tuple[str, str]:
    return f"{score.returns.mean:.5g}", f"{_number(score.normalised)}\n{_failures(score)}"


def _row(result: RateResult) -> tuple[str, ...]:
    rate = f"{result.rate_hz:.6g}"
    if result.plan is None or result.told is None or result.ignored is None:
        return rate, "refused", "", "", "", ""
    told, ignored = result.told, result.ignored
    low, high = told.lost_percent.ci95
    every = f"every {result.plan.every}," if result.plan.decimated else "each,"
    return (
        rate,
        f"{every} {1000 * result.plan.step_s:.4g} ms",
        *_figures(told.score),
        f"{_tenth(told.lost_percent.mean)}\n{_tenth(low)} to {_tenth(high)}",
        f"{_number(ignored.score.normalised)}\n{_failures(ignored.score)}",
    )


def _failures(score: Score) -> str:
    return f"{score.failures}/{score.episodes}"


def _number(value: float | None) -> str:
    return "—" if value is None else f"{round(value, 2) + 0.0:.2f}"


def _tenth(value: float) -> str:
    return f"{round(value, 1) + 0.0:.1f}"
