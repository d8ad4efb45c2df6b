"""What each part of a controller is on average, where it goes: at this it is held when it is cut."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ltc_edge.arrays import FloatArray
from ltc_edge.cells.spec import LTCSpec
from ltc_edge.controller import Controller
from ltc_edge.evaluation.inspection.parts import liquid, state_columns, synapses_of
from ltc_edge.evaluation.visited import Visited
from ltc_edge.runtimes.reference import sigmoid

MOST_STEPS = 20_000
"""Steps that means are taken over; more are drawn from."""


@dataclass(frozen=True, eq=False)
class Means:
    """Means over what was visited.

    Attributes:
        observation: raw, ``(I,)``.
        state: of the cell, ``(state_size,)``.
        synapse: what a synapse transmits, ``(S,)``: of an LTC its activation σ, from 0 to 1; of a wired CfC
            what its source says.
    """

    observation: FloatArray
    state: FloatArray
    synapse: FloatArray


def means_of(controller: Controller, visited: Visited) -> Means:
    """Means over the steps of ``visited``."""
    steps = visited.steps(MOST_STEPS, seed=0)
    observation, state = steps.observation[:, 0], steps.state[:, 0, : controller.cell.state_size]
    return Means(observation.mean(axis=0), state.mean(axis=0), _transmitted(controller, observation, state))


def normalised(controller: Controller, observation: FloatArray) -> FloatArray:
    """The cell's inputs ``(..., I)`` for raw observations."""
    z = (observation - controller.normalizer.offset) / controller.normalizer.scale
    inputs: FloatArray = np.clip(z, -controller.input_limit, controller.input_limit)
    return inputs


def _transmitted(controller: Controller, observation: FloatArray, state: FloatArray) -> FloatArray:
    spec, synapses = liquid(controller.cell), synapses_of(controller.cell)
    parameters = {name: array.astype(np.float64) for name, array in controller.parameters.items()}
    x = normalised(controller, observation)
    if isinstance(spec, LTCSpec) and spec.affine:
        x = parameters["input_w"] * x + parameters["input_b"]
    source, first = synapses.source, synapses.sensory
    heard = np.concatenate(
        [x[:, source[:first]], state[:, state_columns(controller.cell)[source[first:]]]], 1
    )
    if isinstance(spec, LTCSpec):
        sigma, mu = (
            np.concatenate([parameters[f"sensory_{name}"], parameters[name]]) for name in ("sigma", "mu")
        )
        heard = sigmoid(sigma * (heard - mu))
    means: FloatArray = heard.mean(axis=0)
    return means
