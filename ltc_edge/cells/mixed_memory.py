"""An LSTM memory in front of a liquid cell, in torch.

Lechner & Hasani, "Learning long-term dependencies in irregularly-sampled time series", arXiv
2006.04418: (h, c) = LSTM(x, (h, c)), then h = cell(x, h). The memory keeps gradients alive over long
sequences; the forget gate has a bias of +1.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from ltc_edge.cells.cell import Cell, xavier, zeros
from ltc_edge.cells.fused import is_fusable, is_fusable_on_gpu
from ltc_edge.cells.ltc import LTCCell
from ltc_edge.cells.spec import MixedMemorySpec
from ltc_edge.kernels.gpu.rows import fits_with_memory
from ltc_edge.kernels.ltc import Batch


class MixedMemoryCell(Cell):
    """Mixed memory after `MixedMemorySpec`; state: cell | memory."""

    spec: MixedMemorySpec

    def __init__(self, spec: MixedMemorySpec, cell: Cell, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.spec = spec
        self.cell = cell
        rows, units = 4 * spec.units, spec.units
        self.memory_input_weight = xavier((rows, spec.inputs), generator)
        self.memory_recurrent_weight = nn.Parameter(
            nn.init.orthogonal_(torch.empty(rows, units), generator=generator)
        )
        self.memory_bias = zeros(rows)

    def constrain(self) -> None:
        """Project the inner cell's parameters."""
        self.cell.constrain()

    def forward(
        self,
        inputs: Tensor,
        state: Tensor | None = None,
        timespans: Tensor | None = None,
        forced: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Run a batch of sequences: see `Cell.forward`. Around an LTC it is one call of a fused kernel."""
        if not isinstance(self.cell, LTCCell):
            return super().forward(inputs, state, timespans, forced)
        tensors = (inputs, state, timespans, forced, self.memory_bias)
        fits = self.cell.target_slots is not None and fits_with_memory(self.spec.units)
        on_gpu = fits and is_fusable_on_gpu(*tensors)
        # A kernel knows a memory by its gates, and nothing points to the gates of no step.
        if not (on_gpu or (inputs.numel() > 0 and is_fusable(*tensors))):
            return super().forward(inputs, state, timespans, forced)
        self._check(inputs, state, timespans, forced)
        state = self.initial_state(inputs.shape[0]) if state is None else state
        gates = functional.linear(inputs, self.memory_input_weight, self.memory_bias)
        batch = Batch(inputs, state, timespans, forced, gates, self.memory_recurrent_weight)
        return self.cell.run_on_gpu(batch) if on_gpu else self.cell.run_fused(batch)

    def prepare(self) -> Any:
        """Constants of the inner cell, and the memory's recurrent weights transposed."""
        return self.cell.prepare(), self.memory_recurrent_weight.T

    def drive(self, constants: Any, inputs: Tensor) -> Tensor:
        """The input's share of the memory's gates | the inner cell's drive."""
        gates = functional.linear(inputs, self.memory_input_weight, self.memory_bias)
        return torch.cat([gates, self.cell.drive(constants[0], inputs)], dim=-1)

    def step(self, constants: Any, drive: Tensor, state: Tensor, timespan: Tensor) -> Tensor:
        """The memory's step, then the inner cell's."""
        inner, recurrent = constants
        hidden, memory = state.chunk(2, dim=1)
        rows = 4 * self.spec.units
        g, i, f, o = torch.addmm(drive[:, :rows], hidden, recurrent).chunk(4, dim=1)
        memory = torch.sigmoid(f + 1.0) * memory + torch.sigmoid(i) * torch.tanh(g)
        hidden = torch.sigmoid(o) * torch.tanh(memory)
        return torch.cat([self.cell.step(inner, drive[:, rows:], hidden, timespan), memory], dim=1)

    def output(self, constants: Any, state: Tensor) -> Tensor:
        """The inner cell's outputs."""
        return self.cell.output(constants[0], state[..., : self.spec.cell.state_size])
