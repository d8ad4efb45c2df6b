"""An LTC's synapses in 8-bit weights: pairs of integers whose quotients are potentials.

A synapse's numerator and denominator weights come from the same sigmoid. With 8 bits alone, ``d·e`` and
``d`` are each off by up to half a step, and their quotient, the potential ``e``, with them. One 16-bit gain a
synapse is free: it makes ``d / gain`` exactly ``q`` steps for any whole ``q``, and among the ``q`` from 64 to
127 there is one for which ``e·q`` is very nearly whole too.

Some potentials have no such pair: between 0 and 1/127 of the greatest there is no quotient, and there are
gaps beside 1, 1/2 and 1/3. What a potential is measured from is free too, so the middle of the bounds may
give way a little.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ltc_edge.arrays import IntArray
from ltc_edge.cells.spec import LTCSpec
from ltc_edge.export.ltc_bounds import StateBounds, effective_parameters
from ltc_edge.export.program import Array

LEAST_STEPS, MOST_STEPS = 64, 127
"""An 8-bit weight of a denominator has at least as many steps as the first, so that it is precise."""

STRETCHES = 65
"""How many steps are tried for the numerators of a row."""

OFFSETS = np.array([0, 1, -1, 2, -2, 3, -3, 4, -4]) / 128
"""Centers that are tried for a neuron's state, from the middle of its bounds, in halves of their width."""


def integer_pairs(n: Array, d: Array, target: IntArray, units: int) -> tuple[Array, Array, Array]:
    """A gain for each synapse that makes both of its weights nearly whole multiples of their row's step.

    Args:
        n, d: weights, ``(S,)``.
        target: row of each, ``(S,)``.
        units: number of rows.

    Returns:
        Gains in (0, 1], or 0 where a synapse conducts nothing, ``(S,)``; steps of the numerator's and the
        denominator's rows, ``(units,)``.
    """
    greatest = np.zeros(units)
    np.maximum.at(greatest, target, d)
    potential = np.divide(n, d, out=np.zeros_like(n), where=d > 0)
    chosen, n_step, _ = _best_steps(potential[None], d, target, units)
    d_step = np.where(greatest > 0, greatest, 1.0) / LEAST_STEPS
    return d / (d_step[target] * chosen[0]), d_step * n_step[0], d_step


def best_offset(spec: LTCSpec, parameters: Mapping[str, Array], bounds: StateBounds) -> Array:
    """The one of `OFFSETS` from which each neuron's potentials have the best pairs, ``(N,)``.

    Args:
        spec: the cell.
        parameters: its parameters.
        bounds: of its state.
    """
    p = effective_parameters(spec, parameters)
    middle, half = (bounds.high + bounds.low) / 2, (bounds.high - bounds.low) / 2
    errors = np.zeros((len(OFFSETS), spec.units))
    for prefix, synapses in (("", spec.wiring.synapses), ("sensory_", spec.wiring.sensory_synapses)):
        target = synapses[:, 1]
        center = middle[target] + OFFSETS[:, None] * half[target]
        errors += _best_steps(p[f"{prefix}erev"] - center, p[f"{prefix}w"], target, spec.units)[2]
    # What moves the center widens the span, by which 16 bits are divided.
    worth = errors * (1.0 + np.abs(OFFSETS[:, None])) ** 2
    result: Array = OFFSETS[worth.argmin(axis=0)]
    return result


def _best_steps(potential: Array, d: Array, target: IntArray, units: int) -> tuple[IntArray, Array, Array]:
    """For each of ``K`` ways to measure potentials ``(K, S)``: the denominators' steps ``(K, S)``, the
    numerators' step as a potential ``(K, units)``, and what is left of errors, squared, ``(K, units)``."""
    ways = np.arange(len(potential))[:, None]
    rows = np.broadcast_to(target, potential.shape)
    reach = np.zeros((len(potential), units))
    np.maximum.at(reach, (ways, rows), np.abs(potential))
    reach[reach == 0] = 1.0
    steps = np.arange(LEAST_STEPS, MOST_STEPS + 1)
    chosen = np.full(potential.shape, MOST_STEPS)
    n_step, least = reach.copy(), np.full(reach.shape, np.inf)
    share = potential / reach[ways, rows]
    for stretch in np.linspace(1.0, 2.0, STRETCHES):
        # A row's own step is free as well: take the one that serves its heavier synapses best.
        wanted = share[..., None] / stretch * steps
        off = np.abs(wanted - np.rint(wanted)) / steps
        best = off.argmin(axis=2)
        missed = d * stretch * reach[ways, rows] * np.take_along_axis(off, best[..., None], axis=2)[..., 0]
        error = np.zeros(reach.shape)
        np.add.at(error, (ways, rows), missed**2)
        better = error < least
        least = np.where(better, error, least)
        n_step = np.where(better, stretch * reach, n_step)
        chosen = np.where(better[ways, rows], steps[best], chosen)
    return chosen, n_step, least
