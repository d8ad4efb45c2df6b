"""What ``ltc-edge robustness`` says: plain words first, then tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import numpy as np
from rich.table import Table

from ltc_edge.cli.output import console
from ltc_edge.cli.robustness_document import raw_entries

if TYPE_CHECKING:
    from ltc_edge.controller import Controller
    from ltc_edge.evaluation.lipschitz.contraction import Contraction
    from ltc_edge.evaluation.lipschitz.proved import Range
    from ltc_edge.evaluation.lipschitz.report import RobustnessReport
    from ltc_edge.evaluation.lipschitz.survey import Surveyed
    from ltc_edge.evaluation.margins.figures import Margins
    from ltc_edge.evaluation.margins.loop import LoopMargins

CHANGES = {
    "step": "one step",
    "held": "{} steps alike",
    "each": "{} steps, each",
}


def print_report(controller: Controller, report: RobustnessReport) -> None:
    """Everything."""
    _print_brackets(controller, report)
    _print_entries(controller, report.surveyed[0])
    _print_contraction(report)
    _print_proved(report)
    if isinstance(report.margins, str):
        click.echo(f"Stability margins: not available: {report.margins}.")
    else:
        _print_margins(controller, report.margins)


def _print_brackets(controller: Controller, report: RobustnessReport) -> None:
    first = report.surveyed[0]
    click.echo(
        f"Near {report.points} visited steps, where readings are within ±{first.box.radius:g}, a change of 1 "
        f"in the readings changes the action asked for by at most {_number(first.upper)}, and somewhere by "
        f"at least {_number(first.lower)}. Units are normalised: of readings and of actions, a scale of "
        "training's."
    )
    table = Table(
        "readings of", "within", "state", title=f"{controller.name}: Lipschitz constant, readings to action"
    )
    for heading in ("at most", "at least", "ratio", "median ratio"):
        table.add_column(heading, justify="right")
    for each in report.surveyed:
        box = each.box
        table.add_row(
            CHANGES[box.change].format(box.steps),
            f"±{box.radius:g}",
            f"±{box.radius:g} σ" if box.with_state else "exact",
            _number(each.upper),
            _number(each.lower),
            "—" if each.ratio is None else f"{each.ratio:.2f}",
            f"{np.median(each.brackets.ratio):.2f}",
        )
    console().print(table)
    if any(each.box.steps > 1 for each in report.surveyed):
        click.echo(
            "Of several steps it is their last action that changes: where all readings of a sensor are off "
            "alike, per unit of that offset; where each is off by itself, per unit of all changes together."
        )
    clipped = max(each.clipped for each in report.surveyed)
    if clipped:
        click.echo(
            f"Up to {clipped} boxes of a row reach the input's clip of ±{controller.clip:g}: what is further "
            "out changes nothing more, which both bounds know."
        )


def _print_entries(controller: Controller, first: Surveyed) -> None:
    upper, lower = (
        raw_entries(controller, part.max(axis=0))
        for part in (first.brackets.entries, first.brackets.entries_lower)
    )
    table = Table(
        "a change of 1 in", "changes", title=f"Raw units, one step, ±{first.box.radius:g}, state exact"
    )
    for heading in ("at most by", "somewhere by"):
        table.add_column(heading, justify="right")
    for m, action in enumerate(controller.actions):
        for i, reading in enumerate(controller.observations):
            table.add_row(
                f"{reading.name} [{reading.unit or '1'}]",
                f"{action.name} [{action.unit or '1'}]",
                _number(upper[m, i]),
                _number(lower[m, i]),
            )
    console().print(table)


def _print_contraction(report: RobustnessReport) -> None:
    for radius, found in report.near.items():
        click.echo(f"Contraction of the state near visited steps, ±{radius:g}: {_rate(found)}")
    everywhere = report.everywhere
    said = f"not available: {everywhere}." if isinstance(everywhere, str) else _rate(everywhere)
    click.echo(f"Contraction whatever state and readings: {said}")


def _rate(found: Contraction) -> str:
    if found.certified:
        return (
            f"certified: a difference of states shrinks to {found.bound:.4f} of itself or less at every step "
            f"({found.norm})."
        )
    reason = ""
    if found.spectral_radius is not None:
        radius = found.spectral_radius
        reason = f"; the greatest spectral radius at a visited step is {radius:.3f}"
        reason += ", so that no norm can show it" if radius >= 1 else ""
    return f"not certified: the best bound of the rate is {_number(found.bound)}{reason}."


def _print_proved(report: RobustnessReport) -> None:
    if isinstance(report.proved, str):
        click.echo(f"Bounds of state and time constants: not available: {report.proved}.")
        return
    state, tau = report.proved.state, report.proved.time_constant_s
    table = Table(
        "neuron", title="Proved bounds of state and time constant τ, and how much of them these episodes use"
    )
    for heading in ("state proved", "seen", "used", "τ [s] proved", "seen", "used"):
        table.add_column(heading, justify="right")
    for neuron in range(len(tau.low)):
        table.add_row(str(neuron), *_cells(state, neuron), *_cells(tau, neuron))
    console().print(table)


def _cells(found: Range | None, neuron: int) -> tuple[str, str, str]:
    if found is None:
        return "not bounded", "—", "—"
    return (
        f"{_short(found.low[neuron])} to {_short(found.high[neuron])}",
        f"{_short(found.seen_low[neuron])} to {_short(found.seen_high[neuron])}",
        f"{found.used[neuron]:.0%}",
    )


def _print_margins(controller: Controller, found: LoopMargins) -> None:
    table = Table(
        "actuator",
        title=f"The loop at rest, linearised: a deviation keeps at most {found.spectral_radius:.4f} a period",
    )
    for heading in ("gain", "phase", "delay", "peak |S|", "disk: gain", "and phase"):
        table.add_column(heading, justify="right")
    for signal, row in zip(controller.actions, found.actuators, strict=True):
        low, high = row.disk_gain
        table.add_row(
            signal.name,
            f"{_or_any(row.gain_down)} to {_or_any(row.gain_up)}",
            "any" if row.phase_deg is None else f"{row.phase_deg:.1f}°",
            _delay(row, found.period_s),
            f"{row.sensitivity_peak:.3g}",
            f"{low:.3g} to {_or_any(high)}",
            f"{row.disk_phase_deg:.1f}°",
        )
    console().print(table)
    click.echo(
        "The loop stays stable while the actuator's gain is within that range, or its phase is off by less, "
        "or it is late by less; under the disk, gain and phase may be off at once."
    )
    if found.left_out is not None:
        click.echo(f"Of the plant, {found.left_out}.")


def _delay(row: Margins, period_s: float) -> str:
    if row.delay_periods is None:
        return "any"
    return f"{row.delay_periods:.3g} periods, {row.delay_periods * period_s:.3g} s"


def _or_any(value: float | None) -> str:
    return "any" if value is None else f"{value:.3g}"


def _number(value: float) -> str:
    return f"{value:.4g}" if np.isfinite(value) else "unbounded"


def _short(value: float) -> str:
    return f"{value:.3g}"
