"""A controller as a torch module: what is trained.

A `Network` is built from a `Controller` and turned back into one; between the two stand only the
optimiser's steps. It ends before the limits: training sees the action that was asked for, a runtime
the action that is allowed.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import torch
from torch import Tensor, nn

from ltc_edge.arrays import FloatArray
from ltc_edge.cells.build import build_cell, cell_arrays, load_cell_arrays
from ltc_edge.cells.spec import CellSpec
from ltc_edge.controller import Controller


def initial_parameters(
    cell: CellSpec, actions: int, *, readout: bool, seed: int, dtype: torch.dtype = torch.float32
) -> dict[str, FloatArray]:
    """Initial values of a controller's parameters, drawn from ``seed``.

    Args:
        cell: the cell.
        actions: outputs ``M`` of the controller.
        readout: put a linear readout after the cell.
        seed: the same seed gives the same values.
        dtype: float32 or float64.
    """
    generator = torch.Generator().manual_seed(seed)
    parameters = cell_arrays(build_cell(cell, generator).to(dtype))
    if readout:
        weight = nn.init.xavier_uniform_(torch.empty(actions, cell.outputs), generator=generator)
        parameters["readout_weight"] = weight.to(dtype).numpy()
        parameters["readout_bias"] = torch.zeros(actions, dtype=dtype).numpy()
    return parameters


class Network(nn.Module):
    """The controller's normaliser, cell and readout, over batches of sequences."""

    offset: Tensor
    scale: Tensor
    out_offset: Tensor
    out_scale: Tensor
    initial: Tensor

    def __init__(self, controller: Controller) -> None:
        super().__init__()
        self._template = controller
        timing = controller.timing
        self._dt_range = (timing.dt_min_s, timing.dt_max_s)
        dtype = torch.from_numpy(next(iter(controller.parameters.values()))).dtype
        self.cell = build_cell(controller.cell).to(dtype)
        load_cell_arrays(self.cell, controller.parameters)
        self.readout: nn.Linear | None = None
        if controller.has_readout:
            weight, bias = controller.parameters["readout_weight"], controller.parameters["readout_bias"]
            self.readout = nn.Linear(weight.shape[1], weight.shape[0], dtype=dtype)
            with torch.no_grad():
                self.readout.weight.copy_(torch.from_numpy(weight))
                self.readout.bias.copy_(torch.from_numpy(bias))
        for name, array in (
            ("offset", controller.normalizer.offset),
            ("scale", controller.normalizer.scale),
            ("out_offset", controller.denormalizer.offset),
            ("out_scale", controller.denormalizer.scale),
            ("initial", controller.initial_state),
        ):
            self.register_buffer(name, torch.from_numpy(np.asarray(array)).to(dtype), persistent=False)

    def forward(
        self,
        observation: Tensor,
        dt_s: Tensor,
        state: Tensor | None = None,
        forced: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Run a batch of sequences.

        Args:
            observation: raw sensor values, ``(B, T, I)``.
            dt_s: seconds before each step, ``(B, T)``.
            state: the cell's state ``(B, state_size)``, or None for the controller's initial one.
            forced: ``(B, T, state_size)``, states in place of those computed, as in `Cell.forward`.

        Returns:
            The readout ``(B, T, M)``, before it is scaled to actions, and the last state.
        """
        controller = self._template
        z = ((observation - self.offset) / self.scale).clamp(-controller.input_limit, controller.input_limit)
        timespans = dt_s.clamp(*self._dt_range) / controller.timing.time_unit_s
        if state is None:
            state = self.initial.expand(observation.shape[0], -1)
        outputs, state = self.cell(z, state, timespans, forced)
        return (outputs if self.readout is None else self.readout(outputs)), state

    def scaled(self, action: Tensor) -> Tensor:
        """Actions in the actuators' units as the readout that gives them: the inverse of `actions`."""
        return (action - self.out_offset) / self.out_scale

    def actions(self, readout: Tensor) -> Tensor:
        """The readout in the actuators' units, before limits."""
        return self.out_offset + self.out_scale * readout

    def constrain(self) -> None:
        """Project parameters back into their valid set; call after each optimiser step."""
        self.cell.constrain()

    def controller(self) -> Controller:
        """The controller with the network's present parameters."""
        parameters = cell_arrays(self.cell)
        if self.readout is not None:
            parameters["readout_weight"] = self.readout.weight.detach().cpu().numpy().copy()
            parameters["readout_bias"] = self.readout.bias.detach().cpu().numpy().copy()
        return dataclasses.replace(self._template, parameters=parameters)

    @property
    def dtype(self) -> torch.dtype:
        """Precision of parameters and computation."""
        return self.offset.dtype
