"""LSTM and GRU baselines in torch, with torch's own equations and gate order.

The elapsed time enters through one more weight a gate, as ``timespan − 1``: at the nominal period the
cells are exactly `torch.nn.LSTMCell` and `torch.nn.GRUCell`.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from ltc_edge.cells.cell import Cell, uniform, zeros
from ltc_edge.cells.spec import GatedSpec


class Constants(NamedTuple):
    """Recurrent weights, transposed for ``state @ recurrent``, their bias, and the elapsed time's weight."""

    recurrent: Tensor
    bias: Tensor
    elapsed: Tensor


class GatedCell(Cell):
    """What LSTM and GRU share: their parameters."""

    spec: GatedSpec

    def __init__(self, spec: GatedSpec, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.spec = spec
        shapes = spec.parameter_shapes()
        bound = 1.0 / math.sqrt(spec.units)
        for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
            self.register_parameter(name, uniform(shapes[name], -bound, bound, generator))
        self.weight_dt = zeros(*shapes["weight_dt"])

    def prepare(self) -> Constants:
        """Constants of a whole sequence."""
        return Constants(self.value("weight_hh").T, self.value("bias_hh"), self.weight_dt)

    def drive(self, constants: Constants, inputs: Tensor) -> Tensor:  # noqa: ARG002
        """The input's share of the gates."""
        return functional.linear(inputs, self.value("weight_ih"), self.value("bias_ih"))

    def output(self, constants: Constants, state: Tensor) -> Tensor:  # noqa: ARG002
        """The hidden part of the state."""
        return state[..., : self.spec.units]


class LSTMCell(GatedCell):
    """LSTM (Hochreiter & Schmidhuber 1997); state: hidden | memory."""

    def step(self, constants: Constants, drive: Tensor, state: Tensor, timespan: Tensor) -> Tensor:
        """The next hidden state and memory."""
        hidden, memory = state.chunk(2, dim=1)
        gates = torch.addmm(
            drive + (timespan - 1.0) * constants.elapsed + constants.bias, hidden, constants.recurrent
        )
        i, f, g, o = gates.chunk(4, dim=1)
        memory = torch.sigmoid(f) * memory + torch.sigmoid(i) * torch.tanh(g)
        return torch.cat([torch.sigmoid(o) * torch.tanh(memory), memory], dim=1)


class GRUCell(GatedCell):
    """GRU (Cho et al. 2014)."""

    def step(self, constants: Constants, drive: Tensor, state: Tensor, timespan: Tensor) -> Tensor:
        """The next hidden state."""
        drive = drive + (timespan - 1.0) * constants.elapsed
        r_in, z_in, n_in = drive.chunk(3, dim=1)
        r_rec, z_rec, n_rec = torch.addmm(constants.bias, state, constants.recurrent).chunk(3, dim=1)
        r, z = torch.sigmoid(r_in + r_rec), torch.sigmoid(z_in + z_rec)
        n = torch.tanh(n_in + r * n_rec)
        return (1.0 - z) * n + z * state
