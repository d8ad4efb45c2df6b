"""What ``ltc-edge descent`` prints: the verdicts first, then a table for each share of wrong labels."""

from __future__ import annotations

import click
from rich.table import Table

from ltc_edge.cli.output import console
from ltc_edge.evaluation.descent.curve import Curve, OverSeeds, over_seeds
from ltc_edge.evaluation.descent.swept import Swept

ROUNDING = 1e-12
"""Errors below are what rounding leaves of none."""


def print_sweep(swept: Swept) -> None:
    """Verdicts in words, and what they rest on."""
    curves = swept.curves
    for curve, verdict in zip(curves, swept.verdicts, strict=True):
        click.echo(f"{100 * curve.noise:g} % wrong labels. {verdict.words}")
    for curve in curves:
        _print_curve(curve, swept.labels, f"{swept.title}, {100 * curve.noise:g} % wrong labels")
    if curves[0].logarithmic:
        said = "squared, in variances of the targets (1 is guessing the mean); geometric means over seeds"
    else:
        said = "shares of wrong classes; means over seeds"
    click.echo(
        f"Errors are {said} and their 95 % intervals. n·M = n·outputs = {swept.labels} labels{_law(swept)}."
    )


def _print_curve(curve: Curve, labels: int, title: str) -> None:
    columns = ["width", "p", "p / n·M", "train", "test"]
    if curve.ridge_error is not None:
        columns.append("test, ridge")
    if curve.lipschitz is not None:
        columns.append("Lipschitz")
    is_trained = set().union(*curve.stopped) != {"closed-form"}
    if is_trained:
        columns.append("ended by")
    table = Table(*columns, title=title)
    train, test = curve.summary(curve.train_error), curve.summary(curve.test_error)
    ridge = None if curve.ridge_error is None else curve.summary(curve.ridge_error)
    for index, width in enumerate(curve.widths):
        count = curve.parameters[index]
        row = [str(width), str(count), f"{count / labels:.2f}", _figure(train[index]), _figure(test[index])]
        if ridge is not None:
            row.append(_figure(ridge[index]))
        if curve.lipschitz is not None:
            low, high = (
                over_seeds(curve.lipschitz[index, :, end], logarithmic=True).mean for end in range(2)
            )
            row.append(f"{low:.3g}\nto {high:.3g}")
        if is_trained:
            row.append(", ".join(f"{times} {name}" for name, times in curve.stopped[index].items()))
        table.add_row(*row)
    console().print(table)


def _figure(figure: OverSeeds) -> str:
    if figure.mean < ROUNDING:
        return "0"
    low, high = figure.ci95
    return f"{figure.mean:.2g}\n{low:.2g}–{high:.2g}"


def _law(swept: Swept) -> str:
    """What the law of robustness asks for."""
    if swept.dimension is None or swept.n_d_eff is None:
        return ""
    dimension = swept.dimension.estimate.value
    rough = "" if swept.dimension.steady else " (roughly: it changes with scale)"
    return f"; n·d_eff = {swept.n_d_eff:.0f}, for windows of {dimension:.1f} effective dimensions{rough}"
