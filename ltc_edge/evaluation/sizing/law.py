"""The count of the law of robustness, and which of its premises hold (Bubeck & Sellke 2021, 2105.12806).

To fit n points of d dimensions below the noise of their labels with p parameters takes a Lipschitz constant
of at least about √(n·d/p); a smooth fit therefore takes p of the order of n·d. It is a heuristic here: d is
an effective dimension, n counts windows, and a network that does not fit below the noise is not spoken of.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ltc_edge.arrays import FloatArray
from ltc_edge.evaluation.sizing.estimators import participation_ratio

State = Literal["met", "not met", "unknown"]

HEAVIEST_TAIL = 3.0
"""Excess kurtosis up to which tails may be Gaussian; that of a two-sided exponential."""

WEIGHT_LIMIT = 100.0
"""Weights up to this size count as bounded: a small power of any number of parameters."""


@dataclass(frozen=True)
class Premise:
    """One of the law's premises: whether it is met, and what says so."""

    name: str
    state: State
    reason: str


def parameters_for_smoothness(windows: float, dimension: float) -> float:
    """``n·d``: the order of parameters that a smooth fit of ``windows`` points would take."""
    return windows * dimension


def gap_heuristic(parameters: int, windows: float) -> float:
    """``√(p/n)``: the order of the gap between errors on new and on known rows; above 1 it says nothing."""
    return math.sqrt(parameters / windows)


def independence(rows: int, window: int, remembered: float, slowest: str, *, resolved: bool) -> Premise:
    """Points are drawn independently: of a recording, never row by row."""
    if resolved and remembered <= 1.5:
        return Premise("independent points", "met", f"rows remember {remembered:.1f} rows")
    bound = "" if resolved else "at least "
    return Premise(
        "independent points",
        "not met",
        f"neighbouring rows repeat each other: {slowest} remembers {bound}{remembered:.0f} rows, so {rows} "
        f"rows are counted as windows of {window} rows that are so far apart",
    )


def isoperimetry(values: FloatArray) -> Premise:
    """Lipschitz functions of the inputs concentrate as a Gaussian's do, at a scale of 1/√d.

    It cannot be proved from a sample, only refuted. Projections on principal axes are Lipschitz functions:
    where one of them has heavier tails than an exponential's, the premise fails. The share of the first axis
    in the variance gives a lower bound of the premise's constant c.

    Args:
        values: standardised points, ``(N, D)``.
    """
    centred = values - values.mean(axis=0)
    _, singular, axes = np.linalg.svd(centred, full_matrices=False)
    projected = centred @ axes[singular > 1e-9 * singular[0]].T
    kurtosis = (projected**4).mean(axis=0) / (projected**2).mean(axis=0) ** 2 - 3.0
    heaviest = float(kurtosis.max())
    share = float(singular[0] ** 2 / (singular**2).sum())
    constant = participation_ratio(values) * share
    name = "isoperimetric inputs"
    if heaviest > HEAVIEST_TAIL:
        return Premise(
            name, "not met", f"an axis has heavier tails than an exponential (excess kurtosis {heaviest:.1f})"
        )
    return Premise(
        name,
        "unknown",
        f"not refuted: excess kurtosis at most {heaviest:.1f}; its constant is {constant:.1f} at least",
    )


def bounded_weights(largest: float | None) -> Premise:
    """Weights are polynomially bounded; ``largest`` is that of the curve's networks, None without one."""
    name = "bounded weights"
    if largest is None:
        return Premise(name, "unknown", "no network was trained")
    state: State = "met" if largest <= WEIGHT_LIMIT else "not met"
    return Premise(name, state, f"the largest of all trained networks is {largest:.3g}")


def known_constant() -> Premise:
    """The law's constant, which nobody knows."""
    return Premise("known constant", "not met", "the law holds up to a factor that nobody knows")


def fit_below_noise(trained: float | None, least_held_out: float | None) -> Premise:
    """Training error below the noise of the labels.

    No network's error on rows it never saw is below the noise, but for chance: so the least of them bounds it
    from above.

    Args:
        trained: least mean training error of all candidates.
        least_held_out: least mean error on rows that were held out.
    """
    name = "fit below the label noise"
    if trained is None or least_held_out is None:
        return Premise(name, "unknown", "no network was trained")
    if trained >= least_held_out:
        return Premise(
            name,
            "not met",
            f"training error {trained:.3g} is not below {least_held_out:.3g}, which the noise cannot exceed",
        )
    return Premise(
        name,
        "unknown",
        f"training error is {trained:.3g}; the noise is known only to be {least_held_out:.3g} at most",
    )


def premises_not_met(premises: Sequence[Premise]) -> tuple[str, ...]:
    """Names of the premises that do not hold."""
    return tuple(premise.name for premise in premises if premise.state == "not met")
