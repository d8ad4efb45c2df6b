"""What is proved of an LTC's states and time constants, and how much of it its episodes use.

Hasani et al., AAAI 2021, theorems 1 and 2: the state stays within bounds that follow from the parameters
alone, and the time constant cm / (gleak + Σ w σ) within [cm / (gleak + Σ w), cm / gleak], sums over all
synapses.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ltc_edge.arrays import FloatArray
from ltc_edge.cells.spec import BOUNDED_SOLVERS, LTCSpec
from ltc_edge.controller import Controller
from ltc_edge.evaluation.visited import Visited
from ltc_edge.export.ltc_bounds import StateBounds, effective_parameters, greatest_conductance, state_bounds
from ltc_edge.runtimes.reference import sigmoid


@dataclass(frozen=True, eq=False)
class Range:
    """What is proved of a quantity of each neuron, and what was seen of it; each ``(N,)``."""

    low: FloatArray
    high: FloatArray
    seen_low: FloatArray
    seen_high: FloatArray

    @property
    def used(self) -> FloatArray:
        """The share of the proved range that was seen."""
        result: FloatArray = (self.seen_high - self.seen_low) / np.maximum(self.high - self.low, 1e-300)
        return result

    @property
    def holds(self) -> bool:
        """Whether all that was seen is within what is proved, but for rounding."""
        slack = 1e-9 * (np.abs(self.low) + np.abs(self.high))
        return bool(((self.low - slack <= self.seen_low) & (self.seen_high <= self.high + slack)).all())


@dataclass(frozen=True, eq=False)
class Proved:
    """Of an LTC.

    Attributes:
        state: of the states; None where the solver has no bound.
        time_constant_s: of the time constants, in seconds.
    """

    state: Range | None
    time_constant_s: Range


def proved(controller: Controller, visited: Visited) -> Proved | str:
    """The bounds and their use along ``visited``, or why there are none."""
    spec = controller.cell
    if not isinstance(spec, LTCSpec):
        return f"the theorems are about LTC cells, and this is {spec.kind}"
    p = {name: a.astype(np.float64) for name, a in controller.parameters.items()}
    state = visited.state[visited.valid][:, : spec.state_size]
    bounds = None
    if spec.solver in BOUNDED_SOLVERS:
        first = controller.initial_state.astype(np.float64)
        found = state_bounds(spec, p, StateBounds(first, first))
        bounds = Range(found.low, found.high, state.min(axis=0), state.max(axis=0))
    return Proved(bounds, _time_constants(controller, spec, visited.observation[visited.valid], state))


def _time_constants(
    controller: Controller, spec: LTCSpec, observation: FloatArray, state: FloatArray
) -> Range:
    p = effective_parameters(spec, {name: a.astype(np.float64) for name, a in controller.parameters.items()})
    limit = controller.input_limit
    x = np.clip((observation - controller.normalizer.offset) / controller.normalizer.scale, -limit, limit)
    if spec.affine:
        x = p["input_w"] * x + p["input_b"]
    conductance = np.tile(p["gleak"], (len(state), 1))
    for prefix, source, synapses in (
        ("sensory_", x, spec.wiring.sensory_synapses),
        ("", state, spec.wiring.synapses),
    ):
        argument = p[f"{prefix}sigma"] * (source[:, synapses[:, 0]] - p[f"{prefix}mu"])
        reached = np.zeros((len(synapses), spec.units))
        reached[np.arange(len(synapses)), synapses[:, 1]] = p[f"{prefix}w"]
        conductance = conductance + sigmoid(argument) @ reached
    capacity = p["cm"] * controller.timing.time_unit_s
    seen = capacity / conductance
    with np.errstate(divide="ignore"):
        longest = capacity / p["gleak"]
    shortest = capacity / greatest_conductance(spec, controller.parameters)
    return Range(shortest, longest, seen.min(axis=0), seen.max(axis=0))
