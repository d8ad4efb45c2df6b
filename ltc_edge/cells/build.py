"""From a cell's spec to the torch module, and between the module and named arrays."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from ltc_edge.arrays import FloatArray
from ltc_edge.cells.cell import Cell
from ltc_edge.cells.cfc import CfCCell
from ltc_edge.cells.ctrnn import CTRNNCell
from ltc_edge.cells.gated import GRUCell, LSTMCell
from ltc_edge.cells.ltc import LTCCell
from ltc_edge.cells.mixed_memory import MixedMemoryCell
from ltc_edge.cells.spec import CellSpec, CfCSpec, CTRNNSpec, LTCSpec, MixedMemorySpec


def build_cell(spec: CellSpec, generator: torch.Generator | None = None) -> Cell:
    """A new cell of ``spec``, its initial values drawn from ``generator`` (torch's own where None)."""
    if isinstance(spec, MixedMemorySpec):
        return MixedMemoryCell(spec, build_cell(spec.cell, generator), generator)
    if isinstance(spec, LTCSpec):
        return LTCCell(spec, generator)
    if isinstance(spec, CfCSpec):
        return CfCCell(spec, generator)
    if isinstance(spec, CTRNNSpec):
        return CTRNNCell(spec, generator)
    return (LSTMCell if spec.kind == "lstm" else GRUCell)(spec, generator)


def cell_arrays(cell: Cell) -> dict[str, FloatArray]:
    """Copies of the cell's parameters by the names of `CellSpec.parameter_shapes`."""
    own = {name.removeprefix("cell."): value for name, value in cell.named_parameters()}
    return {name: own[name].detach().cpu().numpy().copy() for name in cell.spec.parameter_shapes()}


def load_cell_arrays(cell: Cell, arrays: Mapping[str, FloatArray]) -> None:
    """Set the cell's parameters from arrays named and shaped as `CellSpec.parameter_shapes` has them."""
    own = {name.removeprefix("cell."): value for name, value in cell.named_parameters()}
    with torch.no_grad():
        for name in cell.spec.parameter_shapes():
            own[name].copy_(torch.from_numpy(arrays[name]))
