"""``ltc-edge evaluate --rate``: which rates, playing them, and what is said of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from ltc_edge.cli.corruption import FEWEST_EPISODES
from ltc_edge.cli.output import progress_bar
from ltc_edge.cli.rates_document import rates_document

if TYPE_CHECKING:
    from ltc_edge.cli.evaluated import Evaluated
    from ltc_edge.evaluation.native_rate import RateReport, RateResult
    from ltc_edge.tasks.protocol import Task

MOST_RATES = 50
SLOWEST_HZ, FASTEST_HZ = 0.01, 100_000.0


def chosen_rates(_: click.Context, __: click.Parameter, value: str | None) -> tuple[float, ...] | None:
    """Callback: comma-separated rates in Hz, each once."""
    if value is None:
        return None
    try:
        rates = tuple(dict.fromkeys(float(part) for part in value.split(",")))
    except ValueError:
        rates = ()
    if not rates or not all(math.isfinite(rate) and rate > 0 for rate in rates):
        raise click.BadParameter(f"{value!r} is not a list of rates in Hz such as 25,50,100")
    if not all(SLOWEST_HZ <= rate <= FASTEST_HZ for rate in rates):
        raise click.BadParameter(f"{value!r}: rates are {SLOWEST_HZ:g} to {FASTEST_HZ:g} Hz")
    if len(rates) > MOST_RATES:
        raise click.BadParameter(f"{len(rates)} rates are too many; ask for at most {MOST_RATES} at once")
    return rates


@dataclass(frozen=True)
class AskedRates:
    """How to play.

    Attributes:
        rates_hz: of the loop.
        seeds: of the episodes.
        place: what executes the controller, for the table.
        quiet: without a table.
    """

    rates_hz: tuple[float, ...]
    seeds: range
    place: str
    quiet: bool


def played_at_rates(task: Task, evaluated: Evaluated, asked: AskedRates) -> dict[str, Any]:
    """Play, and print a table; the document.

    Raises:
        InputError: the controller does not fit the task, or none of the rates can be had.
        LtcEdgeError: what executes the controller fails, or is gone.
    """
    from ltc_edge.cli.rates_table import print_rates
    from ltc_edge.evaluation.closed_loop import check_fit
    from ltc_edge.evaluation.native_rate import evaluate_rates

    check_fit(task, evaluated.controller)
    timing = evaluated.controller.timing
    with progress_bar(f"{len(asked.rates_hz)} rates, {len(asked.seeds)} episodes") as on_share:
        report = evaluate_rates(
            task, evaluated.policy, timing, asked.rates_hz, asked.seeds, on_share=on_share
        )
    native_hz = 1.0 / timing.period_s
    if not asked.quiet:
        print_rates(report, native_hz, f"{task.name}, {asked.place}, {len(asked.seeds)} episodes")
    notes = _notes(report, native_hz, len(asked.seeds))
    for note in notes:
        click.echo(f"Note: {note}", err=True)
    return rates_document(report, timing, asked.seeds) | {"notes": notes}


def _notes(report: RateReport, native_hz: float, episodes: int) -> list[str]:
    """What must be known to read the figures, or follows from them."""
    notes = []
    if episodes < FEWEST_EPISODES:
        notes.append(
            f"intervals of so few episodes ({episodes}) are wide; quote figures of {FEWEST_EPISODES} or more"
        )
    multiples = [result for result in report.rates if _costly_multiple(result, native_hz)]
    if multiples:
        rates = ", ".join(f"{result.rate_hz:g}" for result in multiples)
        notes.append(
            f"{rates} Hz is a multiple of the native rate: a controller that is stepped there at "
            f"{native_hz:.6g} Hz, its action held in between, loses nothing"
        )
    return notes


def _costly_multiple(result: RateResult, native_hz: float) -> bool:
    """Whether a faster loop steps the controller each period, at a loss, and could step it natively."""
    if result.plan is None or result.told is None or result.plan.decimated:
        return False
    ratio = result.rate_hz / native_hz
    return round(ratio) >= 2 and abs(ratio - round(ratio)) < 1e-6 * ratio and result.told.lost.ci95[0] > 0
