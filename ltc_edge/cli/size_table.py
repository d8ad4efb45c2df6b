"""What ``ltc-edge size`` says: plain words first, then tables."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click
from rich.table import Table

from ltc_edge.cli.output import console
from ltc_edge.cli.size_document import train_options
from ltc_edge.evaluation.sizing.law import gap_heuristic, premises_not_met
from ltc_edge.evaluation.sizing.recommendation import Recommendation, standard_error

if TYPE_CHECKING:
    from ltc_edge.evaluation.sizing.dimension import Estimate
    from ltc_edge.evaluation.sizing.report import Sizing

WIDTH = 100

FEW_WINDOWS = 30.0
"""With fewer independent ones, what folds agree on may be particular to these recordings."""


UNSETTLED = (
    " But a wider one learned less of what it was shown than a narrower one, which is a matter of training, "
    "not of the data: try --effort 4."
)


def print_sizing(sizing: Sizing) -> None:
    """Words, then the recommendation, the premises, and the dimension against scale."""
    for paragraph in (_data(sizing), _law(sizing), *_advice(sizing)):
        click.echo(textwrap.fill(paragraph, WIDTH))
    if sizing.curve is not None:
        console().print(_recommendations(sizing))
        for found in sizing.recommendations.values():
            if found.chosen is not None:
                click.echo(f"  ltc-edge train … {train_options(found.chosen.options)}")
        console().print(_curve(sizing))
    console().print(_premises(sizing))
    console().print(_scales(sizing))


def _data(sizing: Sizing) -> str:
    subject, found = sizing.subject, sizing.dimension
    data = subject.data
    rows = sum(segment.rows for segment in subject.segments)
    kind = "demonstration of the expert" if subject.demonstrated else "recording"
    low, high = found.estimate.ci95
    unsteady = "" if found.steady else ", but scales disagree"
    bound = "" if sizing.memory.all_resolved else "at least "
    return (
        f"{rows} rows of {_counted(len(data.train.sources), kind)}. {_inputs(sizing)} in about "
        f"{found.estimate.value:.1f} dimensions ({low:.1f} to {high:.1f}{unsteady}). {sizing.slowest} "
        f"remembers longest, {bound}{sizing.memory.longest:.0f} rows, so that all rows are worth "
        f"{sizing.windows:.0f} independent windows of {data.window_length}."
    )


def _inputs(sizing: Sizing) -> str:
    count = len(sizing.subject.data.input_names)
    return "The input moves" if count == 1 else f"The {count} inputs move"


def _counted(count: int, what: str) -> str:
    """The number with the noun, in the plural where there are several."""
    first, _, rest = what.partition(" ")
    return f"{count} {first}{'' if count == 1 else 's'}{f' {rest}' if rest else ''}"


def _law(sizing: Sizing) -> str:
    broken = ", ".join(premises_not_met(sizing.premises))
    return (
        f"By the law of robustness a smooth fit of these takes parameters in the order of n·d = "
        f"{sizing.smooth_parameters:.0f}. Premise not met: {broken}. It is an order to keep in mind, neither "
        f"a target nor a proof that a smaller network is not robust."
    )


def _advice(sizing: Sizing) -> Iterator[str]:
    if sizing.no_curve is not None:
        yield f"Not enough data for a learning curve: {sizing.no_curve}."
    for cell, found in sizing.recommendations.items():
        yield f"{cell}: {_said(found)}{'' if found.settled else UNSETTLED}"
    recommended = any(found.chosen is not None for found in sizing.recommendations.values())
    if recommended and sizing.subject.demonstrated:
        yield (
            "These imitate demonstrations. To balance or reach a goal in closed loop less may do: train, and "
            "let `ltc-edge evaluate` tell."
        )
    if recommended and sizing.windows < FEW_WINDOWS:
        yield f"These rest on {sizing.windows:.0f} independent windows: a new recording may say otherwise."


def _said(found: Recommendation) -> str:
    if found.chosen is None:
        return f"not enough data to recommend a size: {found.reason}."
    chosen = found.chosen
    text = f"{chosen.options.units} units, {chosen.synapses} synapses, {chosen.parameters} parameters"
    if found.outcome == "flat":
        return f"{text}: the curve is flat, more units gain nothing that these rows can show."
    if found.outcome == "still falling":
        return f"at least {text}: the widest tried is still the best, so try wider ones with --units."
    return f"{text}: wider ones gain less than one standard error."


def _recommendations(sizing: Sizing) -> Table:
    table = Table("cell", "outcome", title="Recommended sizes", title_justify="left")
    for heading in ("units", "synapses", "parameters", "p/(n·d)", "√(p/n)"):
        table.add_column(heading, justify="right")
    for cell, found in sizing.recommendations.items():
        if found.chosen is None:
            table.add_row(cell, found.outcome, *["—"] * 5)
            continue
        chosen = found.chosen
        table.add_row(
            cell,
            found.outcome,
            str(chosen.options.units),
            str(chosen.synapses),
            str(chosen.parameters),
            f"{chosen.parameters / sizing.smooth_parameters:.2g}",
            f"{gap_heuristic(chosen.parameters, sizing.windows):.2g}",
        )
    return table


def _curve(sizing: Sizing) -> Table:
    assert sizing.curve is not None
    assert sizing.folds is not None
    what = "recordings" if sizing.folds.by_recording else "stretches"
    error = (
        "share of wrong rows" if sizing.subject.data.kind == "classification" else "squared error / variance"
    )
    title = f"Learning curves: {error} on held-out {what}, {len(sizing.folds.folds)} folds"
    table = Table("cell", title=title, title_justify="left")
    for heading in ("units", "parameters", "held out", "± SE", "in training"):
        table.add_column(heading, justify="right")
    for each in sizing.curve.candidates:
        table.add_row(
            each.options.cell,
            str(each.options.units),
            str(each.parameters),
            f"{each.held_out.mean():.4f}",
            f"{standard_error(each.held_out):.4f}",
            f"{each.trained.mean():.4f}",
        )
    guess = sizing.curve.guess
    table.add_row("a guess", "", "", f"{guess.mean():.4f}", f"{standard_error(guess):.4f}", "")
    return table


def _premises(sizing: Sizing) -> Table:
    table = Table("premise", "", "why", title="Premises of the law of robustness", title_justify="left")
    for premise in sizing.premises:
        table.add_row(premise.name, premise.state, textwrap.fill(premise.reason, 60))
    return table


def _scales(sizing: Sizing) -> Table:
    found = sizing.dimension
    table = Table(title="Dimension against scale", title_justify="left")
    for heading in ("k", "neighbourhood", "radius", "TwoNN k, 2k", "MLE of 2k", "calibrated"):
        table.add_column(heading, justify="right")
    for index, scale in enumerate(found.scales):
        table.add_row(
            str(scale.order),
            f"{scale.share:.2%}",
            f"{scale.radius:.2g} σ",
            _figure(scale.two_nn),
            _figure(scale.mle),
            _figure(scale.calibrated) + (" *" if index in found.plateau else "  "),
        )
    ratio = _figure(found.participation_ratio)
    table.caption = f"* the estimate is their mean: {_figure(found.estimate)}. Participation ratio: {ratio}."
    table.caption_justify = "left"
    return table


def _figure(estimate: Estimate) -> str:
    low, high = estimate.ci95
    return f"{estimate.value:.2f} ({low:.2f}–{high:.2f})"
