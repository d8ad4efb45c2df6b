"""The cells, each with as many neurons as give it the parameters of the product's LTC for the task."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from ltc_edge.errors import InputError
from ltc_edge.training.model import cell_spec, needs_readout
from ltc_edge.training.options import CellKind, ModelOptions

LTC: CellKind = "ltc"
OTHERS: tuple[CellKind, ...] = ("cfc", "ctrnn", "lstm", "gru")
CELLS = (LTC, *OTHERS)

TOLERANCE = 0.10
"""Parameters of a cell may differ from the LTC's by this share."""

MOST_UNITS = 200
BACKBONE_A_UNIT = 2.0
"""Backbone neurons a neuron of a CfC: 64 to 32, as the product's defaults have it."""
CLOSE_ENOUGH = 0.02
"""Among CfCs whose parameters are this close the proportions of the backbone decide."""


@dataclass(frozen=True)
class Contender:
    """A network and its size; ``effective`` and ``dense`` count its parameters, the readout's included."""

    cell: CellKind
    model: ModelOptions
    effective: int
    dense: int


def contender(model: ModelOptions, inputs: int, actions: int) -> Contender:
    """What `Controller.parameters_effective` and `parameters_dense` will say of ``model``, trained.

    Raises:
        InputError: the sizes do not fit together.
    """
    spec = cell_spec(model, inputs, actions)
    readout = actions * (spec.outputs + 1) if needs_readout(model) else 0
    return Contender(
        model.cell, model, spec.parameters_effective() + readout, spec.parameters_dense() + readout
    )


def matched(reference: ModelOptions, inputs: int, actions: int) -> dict[CellKind, Contender]:
    """The LTC ``reference``, and every other cell with as many effective parameters, by cell.

    Raises:
        InputError: a cell comes no closer than `TOLERANCE`.
    """
    ltc = contender(reference, inputs, actions)
    found = {LTC: ltc}
    for cell in OTHERS:
        candidates = [contender(model, inputs, actions) for model in _models(cell, reference)]
        found[cell] = min(candidates, key=lambda one: _distance(one, ltc.effective))
        if abs(found[cell].effective / ltc.effective - 1.0) > TOLERANCE:
            raise InputError(
                f"no {cell} has {ltc.effective} parameters: the nearest has {found[cell].effective}"
            )
    return found


def _models(cell: CellKind, reference: ModelOptions) -> list[ModelOptions]:
    plain = ModelOptions(cell=cell, wiring="dense", unfolds=reference.unfolds)
    if cell != "cfc":
        return [dataclasses.replace(plain, units=units) for units in range(1, MOST_UNITS)]
    # Within a factor of about two of the product's proportions.
    return [
        dataclasses.replace(plain, units=units, backbone_units=backbone)
        for units in range(1, MOST_UNITS // 4)
        for backbone in range(units, 4 * units + 1)
    ]


def _distance(one: Contender, parameters: int) -> tuple[float, float]:
    off = abs(one.effective / parameters - 1.0)
    if one.cell != "cfc":
        return off, 0.0
    proportions = abs(one.model.backbone_units / one.model.units - BACKBONE_A_UNIT)
    return (0.0, proportions) if off <= CLOSE_ENOUGH else (off, proportions)
