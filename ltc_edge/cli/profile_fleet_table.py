"""A fleet's profile, as one table and sentences."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from ltc_edge.cli.output import one_line
from ltc_edge.cli.profile_table import new_table, print_table
from ltc_edge.profiling.fleet.document import FleetFindings
from ltc_edge.profiling.fleet.stragglers import Comparison
from ltc_edge.profiling.fleet.summary import DeviceSummary, Reading

MOST_LETTERS = 34
"""Of what a device is: some firmware says it in many words."""


@dataclass(frozen=True)
class _Row:
    """A device and a format; None where nothing was measured."""

    device: DeviceSummary
    form: str
    reading: Reading | None
    comparison: Comparison | None


Column = tuple[str, Callable[[_Row], str]]


def _of_reading(text: Callable[[Reading], str]) -> Callable[[_Row], str]:
    return lambda row: "" if row.reading is None else text(row.reading)


def _microseconds(us: float | None) -> str:
    return "" if us is None else f"{us:,.2f}" if us < 100 else f"{us:,.0f}"


def _ratio(row: _Row) -> str:
    """Against the median of devices like it."""
    if row.comparison is None:
        return ""
    return f"{row.comparison.ratio:.2f}{' slow' if row.comparison.straggler else ''}"


def _runtime(reading: Reading) -> str:
    """A compiler says a lot of itself: the first word is its name, and the last one its version."""
    words = (reading.runtime or "").partition(",")[0].split()
    return _short(" ".join(dict.fromkeys((words[0], words[-1])))) if words else ""


def _state(row: _Row) -> str:
    celsius = "" if row.device.celsius is None else f"{row.device.celsius:.0f} °C"
    return ", ".join(part for part in (celsius, "not valid" if row.device.problems else "") if part)


def _budgets(reading: Reading) -> str:
    kept = reading.budgets_kept
    return "" if kept is None else "kept" if kept else "broken"


_NAMES: tuple[Column, ...] = (
    ("format", lambda row: row.form),
    ("device", lambda row: row.device.label),
    ("is", lambda row: _what(row.device)),
    ("runtime", _of_reading(_runtime)),
    ("status", lambda row: row.device.status),
)
_FIGURES: tuple[Column, ...] = (
    ("p50,\nµs", _of_reading(lambda reading: _microseconds(reading.p50_us))),
    ("p99,\nµs", _of_reading(lambda reading: _microseconds(reading.p99_us))),
    ("× median\nof its like", _ratio),
    (
        "missed",
        _of_reading(lambda r: "" if r.misses is None else f"{r.misses} of {r.periods}"),
    ),
    (
        "instructions\na step",
        _of_reading(lambda r: "" if r.instructions is None else f"{r.instructions:,.0f}"),
    ),
    ("× time\nbefore", _of_reading(lambda r: "" if r.baseline_ratio is None else f"{r.baseline_ratio:.2f}")),
    ("state", _state),
    ("budgets", _of_reading(_budgets)),
)


def print_fleet(name: str, findings: FleetFindings, output: Path | None) -> None:
    """The table of devices, who is slow, who failed and why, and what is not the same everywhere.

    Args:
        name: of what was profiled.
        findings: of the fleet.
        output: where it was written.
    """
    rows = list(_rows(findings))
    shown = [column for column in _FIGURES if any(column[1](row) for row in rows)]
    title = f"{name} on {len(findings.devices)} devices"
    table = new_table(title, tuple(heading for heading, _ in _NAMES), tuple(heading for heading, _ in shown))
    for index, row in enumerate(rows):
        if index and row.form != rows[index - 1].form:
            table.add_section()
        table.add_row(*(one_line(text(row)) for _, text in (*_NAMES, *shown)))
    print_table(table)
    for line in (
        *_unfinished(findings),
        *_without_formats(findings),
        *_slow(findings),
        *_differing(findings),
    ):
        click.echo(one_line(line))
    if findings.new:
        click.echo(f"Not compared, since the earlier fleet has no figures of them: {', '.join(findings.new)}")
    if output is not None:
        click.echo(f"Written: {one_line(str(output))}")


def _rows(findings: FleetFindings) -> Iterator[_Row]:
    """Format by format, the fastest device first; then the devices of which there are no figures."""
    forms = dict.fromkeys(form for device in findings.devices for form in device.readings)
    for form in forms:
        ran = [device for device in findings.devices if _ran(device, form)]
        for device in sorted(ran, key=lambda device: _cost(device.readings[form])):
            comparison = findings.compared.get((device.label, form))
            yield _Row(device, form, device.readings[form], comparison)
    for device in findings.devices:
        if not any(_ran(device, form) for form in forms):
            yield _Row(device, "", None, None)


def _ran(device: DeviceSummary, form: str) -> bool:
    return form in device.readings and device.readings[form].status == "ok"


def _cost(reading: Reading) -> tuple[bool, float]:
    """Times first; instructions are none."""
    return reading.p50_us is None, reading.p50_us or reading.instructions or 0.0


def _what(device: DeviceSummary) -> str:
    if device.kind == "emulated":
        return f"emulated {device.target}"
    known = (device.facts.get(name) for name in ("model", "soc", "board"))
    return _short(next((str(fact) for fact in known if fact), device.target))


def _short(text: str) -> str:
    return text if len(text) <= MOST_LETTERS else f"{text[: MOST_LETTERS - 1]}…"


def _unfinished(findings: FleetFindings) -> Iterator[str]:
    for device in findings.devices:
        if device.error is not None:
            yield f"{device.label}: {device.error}"
    untouched = [device.label for device in findings.devices if device.status == "untouched"]
    if untouched:
        yield f"Not begun: {', '.join(untouched)}"


def _without_formats(findings: FleetFindings) -> Iterator[str]:
    """Why formats did not run on devices that were measured; what is said of several is said once."""
    reasons: dict[str, dict[str, list[str]]] = {}
    for device in findings.devices:
        for form, reading in device.readings.items():
            if reading.status != "ok" and device.status == "done":
                text = f"{reading.status}: {reading.detail}".replace(f"{form} ", "it ", 1)
                reasons.setdefault(text, {}).setdefault(device.label, []).append(form)
    for text, devices in reasons.items():
        forms = dict.fromkeys(form for named in devices.values() for form in named)
        yield f"{', '.join(devices)}, {', '.join(forms)}: {text}"


def _slow(findings: FleetFindings) -> Iterator[str]:
    for label, form in findings.stragglers:
        found = findings.compared[label, form]
        yield (
            f"Straggler: {label}, {form}: {found.ratio:.2f} times the median of {found.alike} devices like "
            f"it, {found.ratio * found.median_us:,.4g} µs; beyond {found.limit_us:,.4g} µs one is called so"
        )


def _differing(findings: FleetFindings) -> Iterator[str]:
    for drift in findings.drift:
        values = "; ".join(f"{value} on {', '.join(labels)}" for value, labels in drift.values.items())
        of = "" if drift.of is None else f" of {_short(drift.of)}"
        yield f"Not the same{of}: {drift.what}: {values}"
