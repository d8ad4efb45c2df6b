"""What the closed loop pays at other rates, as the report shows it: ``ltc-edge evaluate --rate --json``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ltc_edge.errors import InputError
from ltc_edge.report.bundle_view import BundleView
from ltc_edge.report.fields import Fields, read_fields
from ltc_edge.report.reasons import Reason
from ltc_edge.report.tables import Cell, Column, Row, Table, table
from ltc_edge.report.wording import MISSING, aligned, count_text, number_text

SCHEMA = 1
"""Of the documents that are read here; cli/rates_document.py writes it."""

NOTES = (
    "Lost: of the magnitude of the native return, on the same seeds, the plant simulated in the same steps. "
    "With dt ignored, the controller is told its native period whatever has passed.",
    "Where it is stepped every so many periods of the loop, its action is held in between.",
)


@dataclass(frozen=True)
class Way:
    """One way of calling the controller at a rate; None where it was not measured."""

    return_mean: float | None
    lost_percent: float | None
    lost_ci95: tuple[float, ...]
    failures: int | None


@dataclass(frozen=True)
class Rate:
    """One rate; ``every`` is None where it is refused."""

    rate_hz: float
    every: int | None
    step_s: float | None
    reason: str | None
    told: Way
    ignored: Way


@dataclass(frozen=True)
class RatesView:
    """What is shown of one file, in this order."""

    place: str
    lead: str
    table: Table | None
    refused: tuple[Reason, ...]


def rates_view(path: Path, view: BundleView) -> RatesView:
    """What is shown of the rates in a file.

    Raises:
        InputError: it is none of `ltc-edge evaluate --rate --json`, damaged, or of another bundle.
    """
    fields = read_fields(path)
    if fields.number("rates_schema") is None:
        raise InputError(f"{path}: is not of `ltc-edge evaluate {view.bundle.path} --rate HZ --json`")
    if fields.number("rates_schema") != SCHEMA:
        raise InputError(f"{path}: its schema is unknown here (this is version {SCHEMA}); upgrade ltc-edge")
    if fields.inside("subject").text("sha256") != view.sha256:
        raise InputError(
            f"{path}: are rates of something else, not of {view.bundle.path}; evaluate this bundle"
        )
    rates = [_rate(entry) for entry in fields.items("rates")]
    return RatesView(
        _place(fields),
        f"{count_text(fields.count('episodes'))} episodes at each rate, the same at all of them",
        _table(fields, rates),
        tuple(
            Reason(f"{number_text(rate.rate_hz)} Hz", "refused", rate.reason)
            for rate in rates
            if rate.every is None and rate.reason is not None
        ),
    )


def _place(fields: Fields) -> str:
    target = fields.text("target")
    return f"{fields.text('format') or 'unnamed format'}{f' on {target}' if target else ''}"


def _rate(fields: Fields) -> Rate:
    rate_hz = fields.number("rate_hz")
    if rate_hz is None or rate_hz <= 0:
        raise InputError(f"{fields.where}: rate_hz must be a positive number")
    return Rate(
        rate_hz,
        fields.count("every"),
        fields.number("step_s"),
        fields.text("reason"),
        _way(fields.inside("told")),
        _way(fields.inside("ignored")),
    )


def _way(fields: Fields) -> Way:
    lost = fields.inside("lost_percent")
    return Way(
        fields.number("return_mean"), lost.number("mean"), lost.numbers("ci95"), fields.count("failures")
    )


def _table(fields: Fields, rates: list[Rate]) -> Table | None:
    """A row a rate, the native one first."""
    measured = [rate for rate in rates if rate.every is not None]
    native_hz, native = fields.number("native_hz"), Way(fields.number("return_mean"), None, (), None)
    returns = aligned([native.return_mean, *(rate.told.return_mean for rate in measured)], 5, 4)
    lost = _losses([rate.told for rate in measured])
    ignored = _losses([rate.ignored for rate in measured])
    rows: list[Row] = [
        (
            MISSING if native_hz is None else number_text(native_hz),
            "natively",
            returns[0],
            MISSING,
            MISSING,
            _failed(fields.count("failures")),
            MISSING,
            MISSING,
        )
    ]
    for rate, earned, own, untold in zip(measured, returns[1:], lost, ignored, strict=True):
        failed = _failed(rate.told.failures), count_text(rate.ignored.failures)
        rows.append(
            (number_text(rate.rate_hz), _stepped(rate), earned, *own, failed[0], untold[0], failed[1])
        )
    return table("What the closed loop pays at other rates", _columns(), rows, NOTES)


def _columns() -> tuple[Column, ...]:
    told, ignored = "told the real dt", "dt ignored"
    return (
        Column("Loop", "Hz", numeric=False),
        Column("Controller stepped", numeric=False),
        Column("Return", group=told),
        Column("Lost", "%", group=told),
        Column("95 % interval", "%", group=told),
        Column("Failed", "episodes", group=told),
        Column("Lost", "%", group=ignored),
        Column("Failed", "episodes", group=ignored),
    )


def _losses(ways: Sequence[Way]) -> list[tuple[str, str]]:
    """Loss and interval of each."""
    means = aligned([way.lost_percent for way in ways], 2, 1)
    return [(mean, _interval(way.lost_ci95)) for mean, way in zip(means, ways, strict=True)]


def _interval(ci95: tuple[float, ...]) -> str:
    low, high = aligned(ci95, 2, 1) if len(ci95) == 2 else (MISSING, "")
    return f"{low} to {high}" if high else MISSING


def _failed(count: int | None) -> Cell:
    return Cell(count_text(count), "bad" if count else "")


def _stepped(rate: Rate) -> str:
    every = "each period" if rate.every == 1 else f"every {rate.every} periods"
    return every if rate.step_s is None else f"{every}, {1000 * rate.step_s:.4g} ms"
