"""What is proved about an LTC: the range of its state, and the greatest conductance of its neurons.

Hasani et al., AAAI 2021, theorem 2; for two solvers by convexity. With conductances g_k that are not
negative and the potentials e_k that they draw to — vleak_i, the reversal potentials of the synapses into
neuron i, and 0 through the solver's epsilon — N = Σ g_k e_k, D = Σ g_k > 0, and N/D lies in their hull.

- fused: v' = (c v + N) / (c + D) with c = cm / h > 0 weighs v and N/D by c and D;
- exponential: v' = a v + (1 − a) N/D with a = exp(−h D / cm), which lies between 0 and 1.

Each sub-step is a convex combination of v_i and N/D. So for any dt > 0 and any input that is not NaN the
state stays between the least and the greatest potential and where it started. Fixed-point formats need no
calibration then. An explicit solver extrapolates, and nothing of the kind holds.

The bounds are narrower than that, by a fifth or more: a leak always conducts, a synapse never more than its
w, and less where its source is bounded. The greatest N/D is had when every conductance that draws above it
is at its most and every other at its least; and bounds that hold make narrower ones that hold too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ltc_edge.arrays import FloatArray
from ltc_edge.cells.spec import BOUNDED_SOLVERS, LTCSpec
from ltc_edge.errors import FormatRefusedError
from ltc_edge.runtimes.reference import sigmoid

EPSILON = 1e-8
"""Of the denominators of both: a conductance towards zero, and part of a trained model."""

ROUNDS, SETTLED = 8, 1e-3
"""Bounds are narrowed so often at most, and no more where that takes less than this share off them."""

SLACK = 2.0**-15
"""By how much sigmoids may be off: float32's arithmetic need not keep to the last digit of a bound."""


@dataclass(frozen=True, eq=False)
class StateBounds:
    """Least and greatest value of each neuron, each ``(N,)``."""

    low: FloatArray
    high: FloatArray


def state_bounds(spec: LTCSpec, parameters: Mapping[str, FloatArray], start: StateBounds) -> StateBounds:
    """Bounds on the state of an LTC.

    Args:
        spec: the cell, with one of `BOUNDED_SOLVERS`.
        parameters: its parameters.
        start: where the state may lie before a step: the initial state of a plain LTC, or what a
            mixed memory hands over at every step.

    Raises:
        FormatRefusedError: the solver is another, for which nothing is proved.
    """
    if spec.solver not in BOUNDED_SOLVERS:
        raise FormatRefusedError(
            "explicit-solver",
            f"the state is proved bounded for the solvers fused and exponential, not for {spec.solver}",
        )
    p = effective_parameters(spec, parameters)
    bounds = _hull(spec, p, start)
    for _ in range(ROUNDS):
        low, high = _drawn(spec, p, bounds)
        # What is proved by other bounds holds beside them, whatever rounding makes of either.
        low = np.maximum(bounds.low, np.minimum(start.low, low))
        high = np.minimum(bounds.high, np.maximum(start.high, high))
        taken = (bounds.high - bounds.low) - (high - low)
        settled = bool((taken <= SETTLED * (bounds.high - bounds.low)).all())
        bounds = StateBounds(low, high)
        if settled:
            break
    return bounds


def _hull(spec: LTCSpec, p: Mapping[str, FloatArray], start: StateBounds) -> StateBounds:
    """All potentials, zero and the start."""
    low = np.minimum(0.0, np.minimum(start.low, p["vleak"])).astype(np.float64)
    high = np.maximum(0.0, np.maximum(start.high, p["vleak"])).astype(np.float64)
    for synapses, erev in (
        (spec.wiring.synapses, p["erev"]),
        (spec.wiring.sensory_synapses, p["sensory_erev"]),
    ):
        np.minimum.at(low, synapses[:, 1], erev)
        np.maximum.at(high, synapses[:, 1], erev)
    return StateBounds(low, high)


def _drawn(spec: LTCSpec, p: Mapping[str, FloatArray], bounds: StateBounds) -> tuple[FloatArray, FloatArray]:
    """Least and greatest N/D of each neuron, ``(N,)`` each, while the state is within ``bounds``."""
    source, target = spec.wiring.synapses.T
    ends = [p["sigma"] * (end[source] - p["mu"]) for end in (bounds.low, bounds.high)]
    sensory = spec.wiring.sensory_synapses[:, 1]
    # Inputs may be anything, so their synapses conduct anything from nothing to all of w.
    least = np.concatenate([sigmoid(np.minimum(*ends)) - SLACK, np.zeros(len(sensory))])
    most = np.concatenate([sigmoid(np.maximum(*ends)) + SLACK, np.ones(len(sensory))])
    target = np.concatenate([target, sensory])
    w = np.concatenate([p["w"], p["sensory_w"]]).astype(np.float64)
    erev = np.concatenate([p["erev"], p["sensory_erev"]]).astype(np.float64)
    least, most = np.clip(least, 0.0, 1.0) * w, np.clip(most, 0.0, 1.0) * w
    leak = p["gleak"].astype(np.float64)
    low, high = (np.empty(spec.units) for _ in range(2))
    for neuron in range(spec.units):
        own = np.flatnonzero(target == neuron)
        own = own[np.argsort(erev[own], kind="stable")]
        n = leak[neuron] * p["vleak"][neuron] + least[own] @ erev[own]
        d = leak[neuron] + EPSILON + least[own].sum()
        more = most[own] - least[own]
        low[neuron] = _extremes(n, d, more, erev[own]).min()
        high[neuron] = _extremes(n, d, more[::-1], erev[own][::-1]).max()
    return low, high


def _extremes(n: float, d: float, more: FloatArray, erev: FloatArray) -> FloatArray:
    """N/D with ever more of the conductances at their most, in their order, ``(K + 1,)``."""
    ns, ds = (np.concatenate([[0.0], np.cumsum(term)]) for term in (more * erev, more))
    result: FloatArray = (n + ns) / (d + ds)
    return result


def effective_parameters(spec: LTCSpec, parameters: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
    """The parameters with the positivity map applied, as they enter the equations."""
    effective = dict(parameters)
    if spec.positivity == "softplus":
        for name in ("w", "sensory_w", "cm", "gleak"):
            effective[name] = np.logaddexp(0.0, parameters[name].astype(np.float64))
    return effective


def greatest_conductance(spec: LTCSpec, parameters: Mapping[str, FloatArray]) -> FloatArray:
    """The conductance of each neuron with every synapse active, ``(N,)``: no input can make it greater."""
    effective = effective_parameters(spec, parameters)
    greatest: FloatArray = effective["gleak"].astype(np.float64) + EPSILON
    for prefix, synapses in (("", spec.wiring.synapses), ("sensory_", spec.wiring.sensory_synapses)):
        np.add.at(greatest, synapses[:, 1], effective[f"{prefix}w"])
    return greatest
