"""From options to an untrained controller."""

from __future__ import annotations

from ltc_edge import wiring as wirings
from ltc_edge.cells.spec import CellSpec, CfCSpec, CTRNNSpec, GatedSpec, LiquidSpec, LTCSpec, MixedMemorySpec
from ltc_edge.errors import InputError
from ltc_edge.training.options import ModelOptions
from ltc_edge.wiring import Wiring


def needs_readout(options: ModelOptions) -> bool:
    """Whether a linear readout follows the cell; an LTC's motor neurons can do without."""
    return options.cell != "ltc" or options.linear_readout


def cell_spec(options: ModelOptions, inputs: int, actions: int) -> CellSpec:
    """The cell that ``options`` describe, for ``inputs`` inputs and ``actions`` actions.

    Raises:
        InputError: the sizes do not fit together.
    """
    if options.cell in ("lstm", "gru"):
        return GatedSpec(options.cell, inputs, options.units)
    cell: LiquidSpec
    if options.cell == "ctrnn":
        cell = CTRNNSpec(inputs, options.units, options.unfolds)
    elif options.cell == "cfc":
        wired = _wiring(options, inputs, actions) if options.wiring == "ncp" else None
        cell = CfCSpec(inputs, options.units, wired, backbone_units=options.backbone_units)
    else:
        # Read linearly, every neuron of a dense or random wiring is an output; an NCP keeps its motor layer.
        every = options.linear_readout and options.wiring != "ncp"
        wiring = _wiring(options, inputs, options.units if every else actions)
        cell = LTCSpec(wiring, solver=options.solver, unfolds=options.unfolds)
    return MixedMemorySpec(cell) if options.mixed_memory else cell


def _wiring(options: ModelOptions, inputs: int, outputs: int) -> Wiring:
    seed = options.wiring_seed
    try:
        if options.wiring == "dense":
            return wirings.dense(inputs, options.units, outputs, seed=seed)
        make = wirings.random if options.wiring == "random" else wirings.auto_ncp
        return make(inputs, options.units, outputs, sparsity=options.sparsity, seed=seed)
    except InputError as error:
        raise InputError(f"{error} (--units, --wiring)") from None
