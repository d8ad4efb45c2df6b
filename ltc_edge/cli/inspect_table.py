"""What ``ltc-edge inspect`` prints: words, then tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from rich.table import Table

from ltc_edge.cli.output import console
from ltc_edge.evaluation.inspection.dense_circuit import drawable_circuit
from ltc_edge.evaluation.inspection.drives import EARLIER
from ltc_edge.evaluation.inspection.parts import Kind
from ltc_edge.evaluation.inspection.words import percent, sentences

if TYPE_CHECKING:
    from ltc_edge.evaluation.inspection.effects import Effect
    from ltc_edge.evaluation.inspection.inspection import Inspection
    from ltc_edge.evaluation.inspection.neurons import TimeConstants

MOST_SYNAPSES = 12
"""Rows of the table of synapses; ``--json`` has all."""


def print_inspection(inspection: Inspection, title: str) -> None:
    """Words, drives, neurons, and the synapses whose cuts cost most."""
    for sentence in sentences(inspection):
        click.echo(sentence)
    circuit = drawable_circuit(inspection.controller)
    click.echo(f"Wiring, {circuit.summary}.")
    _print_drives(inspection, title)
    _print_neurons(inspection)
    _print_synapses(inspection)


def _print_drives(inspection: Inspection, title: str) -> None:
    drives, controller = inspection.drives, inspection.controller
    table = Table("observation", title=f"{title}: what drives each action")
    for action in controller.actions:
        table.add_column(f"{action.name}\ngradients", justify="right")
        table.add_column("\nperturbation", justify="right")
    table.add_column("cut loses\n(95 % interval)", justify="right")
    cuts: list[Effect | None] = [*inspection.effects.of(Kind.OBSERVATION)]
    cuts = (cuts or [None] * len(controller.observations)) + [None]
    names = [*(signal.name for signal in controller.observations), EARLIER]
    both = zip(drives.gradient_shares, drives.perturbed_shares, strict=True)
    for name, (gradients, perturbed), cut in zip(names, both, cuts, strict=True):
        shares = [percent(float(x)) for pair in zip(gradients, perturbed, strict=True) for x in pair]
        table.add_row(name, *shares, _lost(cut))
    console().print(table)


def _print_neurons(inspection: Inspection) -> None:
    """Two tables, each narrow enough for 80 characters."""
    table = Table("neuron", title="neurons along the episodes")
    for heading in ("potential\nmean ± std", "time constant [ms]\nused", "\nproved bounds", "range\nused"):
        table.add_column(heading, justify="right")
    for own in inspection.neurons:
        potential = f"{own.mean:.2f} ± {own.std:.2g}"
        table.add_row(own.neuron.name, potential, *_times(own.time))
    console().print(table)
    cuts: list[Effect | None] = [*inspection.effects.of(Kind.NEURON)]
    roles = Table("neuron", "carries most of", title="what neurons are for")
    roles.add_column("cut loses (95 % interval)", justify="right")
    for own, cut in zip(inspection.neurons, cuts or [None] * len(inspection.neurons), strict=True):
        roles.add_row(own.neuron.name, _carried(inspection, own.neuron.index), _lost(cut))
    console().print(roles)


def _times(time: TimeConstants | None) -> tuple[str, str, str]:
    if time is None:
        return "—", "—", "—"
    used, bounds = (
        f"{1000 * low:.2g} to {1000 * high:.2g}"
        for low, high in ((time.used_low, time.used_high), (time.low, time.high))
    )
    return used, bounds, percent(time.used)


def _carried(inspection: Inspection, neuron: int) -> str:
    shares = inspection.drives.through[:, neuron]
    top = int(shares.argmax())
    if shares[top] < 0.05:
        return "—"
    return f"{inspection.controller.observations[top].name} ({percent(min(float(shares[top]), 1.0))})"


def _print_synapses(inspection: Inspection) -> None:
    effects = sorted(inspection.effects.of(Kind.SYNAPSE), key=lambda effect: -effect.lost)
    if not effects:
        return
    shown = effects[:MOST_SYNAPSES]
    rest = len(effects) - len(shown)
    title = "synapses whose cut costs most" + (f" ({rest} more in --json)" if rest else "")
    table = Table("synapse", title=title)
    table.add_column("cut loses (95 % interval)", justify="right")
    for effect in shown:
        table.add_row(effect.part.name, _lost(effect))
    console().print(table)


def _lost(effect: Effect | None) -> str:
    """The share that a cut loses, with its interval, and whether it matters."""
    if effect is None:
        return "—"
    low, high = effect.lost_ci95
    if effect.share is None:
        return f"{effect.lost:.3g} ({low:.3g} to {high:.3g})"
    shown = [round(100 * value / effect.gain, 1) + 0.0 for value in (effect.lost, low, high)]
    mark = {"costs": "     ", "free": " free", "unclear": "    ?"}[effect.verdict]
    return f"{shown[0]:.1f} % ({shown[1]:.1f} to {shown[2]:.1f}){mark}"
