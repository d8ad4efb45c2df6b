"""Fine-tuning stays within what integers can hold of an LTC.

In integers a neuron's conductances are shares of the greatest that it may have (see `lowering/ltc_unit.py`).
One whose leak is a tiny share would be divided by next to nothing while its synapses are silent, and one that
forgets within a tiny part of a sub-step leaves no bits to the slow ones: such integers are refused. Nothing
is gained there, but a gradient may well lead there.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ltc_edge.cells.ltc import LTCCell
from ltc_edge.cells.mixed_memory import MixedMemoryCell
from ltc_edge.network import Network

LEAST_LEAK = 2.0**-8
"""Share of a neuron's greatest conductance; integers can divide by half of it."""

LEAST_MEMORY = 2.0**-8
"""Sub-steps within which a neuron that conducts all it can forgets; integers can hold a quarter of it."""


class Representable:
    """Keeps leaks and capacitances from falling below what integers need, or below where they started.

    Args:
        network: as it is before fine-tuning. Nothing is done to one whose cell is no LTC.
    """

    def __init__(self, network: Network) -> None:
        cell = network.cell
        inner = cell.cell if isinstance(cell, MixedMemoryCell) else cell
        self._cell = inner if isinstance(inner, LTCCell) else None
        if self._cell is None:
            return
        timing = network.controller().timing
        self._substep = timing.dt_max_s / timing.time_unit_s / self._cell.spec.unfolds
        leak, memory = self._shares(self._cell)
        self._least_leak = leak.clamp(max=LEAST_LEAK)
        self._least_memory = memory.clamp(max=LEAST_MEMORY)

    @torch.no_grad()
    def project(self) -> None:
        """Raise what fell below; call after each update."""
        if self._cell is None:
            return
        greatest = _conductance(self._cell)
        _raise(self._cell, self._cell.gleak, self._least_leak * greatest)
        _raise(self._cell, self._cell.cm, self._least_memory * greatest * self._substep)

    @torch.no_grad()
    def _shares(self, cell: LTCCell) -> tuple[Tensor, Tensor]:
        """Of each neuron: its leak's share of what it conducts at most, and the sub-steps it remembers."""
        greatest = _conductance(cell)
        return _positive(cell, cell.gleak) / greatest, _positive(cell, cell.cm) / (greatest * self._substep)


def _positive(cell: LTCCell, raw: Tensor) -> Tensor:
    return torch.nn.functional.softplus(raw) if cell.spec.positivity == "softplus" else raw


def _conductance(cell: LTCCell) -> Tensor:
    """The leak and every synapse into a neuron, ``(N,)``."""
    total = _positive(cell, cell.gleak) + _positive(cell, cell.w) @ cell.targets
    return total + _positive(cell, cell.sensory_w) @ cell.sensory_targets


def _raise(cell: LTCCell, raw: Tensor, least: Tensor) -> None:
    """Set ``raw`` so that its positive value is at least ``least``."""
    if cell.spec.positivity == "softplus":
        least = torch.log(torch.expm1(least))
    raw.copy_(torch.maximum(raw, least))
