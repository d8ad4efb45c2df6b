"""A controller's steps over boxes: what it asks for, and its next state, before limits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ltc_edge.controller import Controller
from ltc_edge.evaluation.lipschitz.balls import Array
from ltc_edge.evaluation.lipschitz.cells import jet_cell
from ltc_edge.evaluation.lipschitz.functions import clipped
from ltc_edge.evaluation.lipschitz.jets import Jet


@dataclass(frozen=True, eq=False)
class Steps:
    """``B`` times ``k`` consecutive steps of a controller.

    Attributes:
        observation: *normalised* observations, ``(B, k, I)``.
        state: the cell's state before the first of them, ``(B, S)``.
        dt_s: seconds before each, ``(B, k)``.
    """

    observation: Array
    state: Array
    dt_s: Array

    @property
    def point(self) -> Array:
        """All that boxes can span: the observations one after another, then the state, ``(B, k·I + S)``."""
        return np.concatenate([self.observation.reshape(len(self.state), -1), self.state], axis=1)


class JetController:
    """A controller as equations over jets."""

    def __init__(self, controller: Controller) -> None:
        self.controller = controller
        self._parameters = {name: a.astype(np.float64) for name, a in controller.parameters.items()}
        self._cell = jet_cell(controller.cell, self._parameters)
        self._clip = clipped(controller.input_limit)

    def run(self, quantities: Jet, dt_s: Array) -> tuple[Jet, Jet]:
        """The last readout ``(B, M)``, and the cell's state after it ``(B, S)``.

        Args:
            quantities: normalised observations of all steps, then the state, as in `Steps.point`.
            dt_s: seconds before each step, ``(B, k)``.
        """
        controller, timing = self.controller, self.controller.timing
        inputs, steps = controller.cell.inputs, dt_s.shape[1]
        timespans = np.clip(dt_s, timing.dt_min_s, timing.dt_max_s) / timing.time_unit_s
        state = quantities[slice(inputs * steps, None)]
        for step in range(steps):
            x = quantities[slice(inputs * step, inputs * (step + 1))]
            if np.isfinite(controller.clip):
                x = x.apply(self._clip)
            outputs, state = self._cell(x, state, timespans[:, step])
        if controller.has_readout:
            outputs = outputs.mixed(self._parameters["readout_weight"], self._parameters["readout_bias"])
        return outputs, state
