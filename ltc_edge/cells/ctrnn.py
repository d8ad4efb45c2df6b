"""The continuous-time recurrent network in torch (Funahashi & Nakamura, Neural Networks 1993).

    τ dh/dt = −h + tanh(W_in x + W_rec h + b),   τ = softplus(tau)

Each sub-step δ is semi-implicit, h' = (h + (δ/τ)·tanh(…)) / (1 + δ/τ), so that it is stable at any dt.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from ltc_edge.cells.cell import Cell, xavier, zeros
from ltc_edge.cells.spec import CTRNNSpec


class Constants(NamedTuple):
    """Recurrent weights, transposed for ``state @ recurrent``, and 1/τ."""

    recurrent: Tensor
    rate: Tensor


class CTRNNCell(Cell):
    """CT-RNN cell after `CTRNNSpec`."""

    spec: CTRNNSpec

    def __init__(self, spec: CTRNNSpec, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.spec = spec
        self.input_weight = xavier((spec.units, spec.inputs), generator)
        self.recurrent_weight = nn.Parameter(
            nn.init.orthogonal_(torch.empty(spec.units, spec.units), generator=generator)
        )
        self.bias = zeros(spec.units)
        self.tau = zeros(spec.units)  # softplus(0) = 0.69 time units: about one native period

    def prepare(self) -> Constants:
        """Constants of a whole sequence."""
        return Constants(self.recurrent_weight.T, 1.0 / functional.softplus(self.tau))

    def drive(self, constants: Constants, inputs: Tensor) -> Tensor:  # noqa: ARG002
        """The input's share of the pre-activation."""
        return functional.linear(inputs, self.input_weight, self.bias)

    def step(self, constants: Constants, drive: Tensor, state: Tensor, timespan: Tensor) -> Tensor:
        """The next state, in ``unfolds`` semi-implicit sub-steps."""
        ratio = constants.rate * (timespan / self.spec.unfolds)
        for _ in range(self.spec.unfolds):
            activation = torch.tanh(torch.addmm(drive, state, constants.recurrent))
            state = torch.addcmul(state, ratio, activation) / (1.0 + ratio)
        return state

    def output(self, constants: Constants, state: Tensor) -> Tensor:  # noqa: ARG002
        """The whole state."""
        return state
