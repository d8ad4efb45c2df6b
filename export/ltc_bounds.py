"""What is proved about an LTC: the range of its state, and the greatest conductance of its neurons.

Hasani et al., AAAI 2021, theorem 2; for two solvers by convexity. With conductances g_k that are not
negative and the potentials e_k that they draw to — vleak_i, the reversal potentials of the synapses into
neuron i, and 0 through the solver's epsilon — N = Σ g_k e_k, D = Σ g_k > 0, and N/D lies in their hull.

- fused: v' = (c v + N) / (c + D) with c = cm / h > 0 weighs v and N/D by c and D;
- exponential: v' = a v + (1 − a) N/D with a = exp(−h D / cm), which lies between 0 and 1.

Each sub-step is a convex combination of v_i and these potentials. So for any dt > 0 and any input that is
not NaN the state stays between the least and the greatest of them and of where it started. Fixed-point
formats need no calibration then. An explicit solver extrapolates, and nothing of the kind holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ltc_edge.arrays import FloatArray
from ltc_edge.cells.spec import BOUNDED_SOLVERS, LTCSpec
from ltc_edge.errors import FormatRefusedError

EPSILON = 1e-8
"""Of the denominators of both: a conductance towards zero, and part of a trained model."""


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
    low = np.minimum(0.0, np.minimum(start.low, parameters["vleak"])).astype(np.float64)
    high = np.maximum(0.0, np.maximum(start.high, parameters["vleak"])).astype(np.float64)
    for synapses, erev in (
        (spec.wiring.synapses, parameters["erev"]),
        (spec.wiring.sensory_synapses, parameters["sensory_erev"]),
    ):
        np.minimum.at(low, synapses[:, 1], erev)
        np.maximum.at(high, synapses[:, 1], erev)
    return StateBounds(low, high)


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
