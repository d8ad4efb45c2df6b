"""What each neuron does along episodes: its role, how it moves, and how fast it can and does follow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ltc_edge.arrays import FloatArray
from ltc_edge.cells.spec import CTRNNSpec, LTCSpec
from ltc_edge.controller import Controller
from ltc_edge.evaluation.inspection.means import MOST_STEPS, normalised
from ltc_edge.evaluation.inspection.parts import Part, liquid, neurons_of, state_columns, synapses_of
from ltc_edge.evaluation.visited import Visited
from ltc_edge.runtimes.reference import positivity, sigmoid, softplus


@dataclass(frozen=True)
class TimeConstants:
    """A neuron's time constant, in seconds.

    Attributes:
        low, high: the proved bounds: cm / (gleak + Σ w) and cm / gleak (Hasani et al. 2021, theorem 1; MATH).
        used_low, used_high: the least and the largest along the episodes.
    """

    low: float
    high: float
    used_low: float
    used_high: float

    @property
    def used(self) -> float:
        """Share of the range that is used, on a logarithmic scale; 1 of a range that is a point."""
        whole = np.log(self.high / self.low)
        return float(np.log(self.used_high / self.used_low) / whole) if whole > 0 else 1.0


@dataclass(frozen=True)
class NeuronActivity:
    """A neuron along episodes.

    Attributes:
        neuron: which.
        mean, std, low, high: of its potential.
        time: its time constants; None where the cell has none of its own.
    """

    neuron: Part
    mean: float
    std: float
    low: float
    high: float
    time: TimeConstants | None


def activity_of(controller: Controller, visited: Visited) -> tuple[NeuronActivity, ...]:
    """Every neuron along the episodes of ``visited``."""
    steps = visited.steps(MOST_STEPS, seed=0)
    columns = state_columns(controller.cell)
    potentials = steps.state[:, 0, columns]
    times = _time_constants(controller, steps.observation[:, 0], potentials)
    return tuple(
        NeuronActivity(
            neuron,
            float(v.mean()),
            float(v.std()),
            float(v.min()),
            float(v.max()),
            None if times is None else times[neuron.index],
        )
        for neuron, v in zip(neurons_of(controller), potentials.T, strict=True)
    )


def _time_constants(
    controller: Controller, observation: FloatArray, potentials: FloatArray
) -> list[TimeConstants] | None:
    spec, unit = liquid(controller.cell), controller.timing.time_unit_s
    if isinstance(spec, CTRNNSpec):
        fixed = softplus(controller.parameters["tau"].astype(np.float64)) * unit
        return [TimeConstants(tau, tau, tau, tau) for tau in fixed.tolist()]
    if not isinstance(spec, LTCSpec):
        return None
    parameters = {name: array.astype(np.float64) for name, array in controller.parameters.items()}
    conductance, synapses = positivity(spec), synapses_of(spec)
    x = normalised(controller, observation)
    if spec.affine:
        x = parameters["input_w"] * x + parameters["input_b"]
    # A memory before the cell hands it another state than the one it left, so that of a mixed cell this is
    # the conductance at the states it ends its steps in.
    first = synapses.sensory
    heard = np.concatenate([x[:, synapses.source[:first]], potentials[:, synapses.source[first:]]], axis=1)
    w, sigma, mu = (
        np.concatenate([parameters[f"sensory_{name}"], parameters[name]]) for name in ("w", "sigma", "mu")
    )
    to = np.zeros((len(synapses), spec.units))
    to[np.arange(len(synapses)), synapses.target] = conductance(w)
    gleak, cm = conductance(parameters["gleak"]), conductance(parameters["cm"]) * unit
    used = cm / (gleak + sigmoid(sigma * (heard - mu)) @ to)
    ranges = cm / (gleak + to.sum(axis=0)), cm / gleak, used.min(axis=0), used.max(axis=0)
    return [TimeConstants(*map(float, column)) for column in zip(*ranges, strict=True)]
