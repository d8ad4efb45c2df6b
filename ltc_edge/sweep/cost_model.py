"""Costs of a controller in C told from what it computes, without a compiler or an emulator: linear models.

They were fitted by ``tools/fit_sweep_costs.py`` to trained controllers that were compiled and emulated, by
least squares of the relative error with coefficients that are not negative; docs/sweep-objectives.md has
their errors. RAM needs no model: a context is a seal, the state and a checksum.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ltc_edge.errors import InputError
from ltc_edge.profiling.operations import operations
from ltc_edge.profiling.parameter_bytes import parameter_bytes
from ltc_edge.sweep.exported import Exported

TARGET = "cortex-m4"
"""What the models are of."""

MODELLED = ("instructions", "flash", "stack")


@dataclass(frozen=True)
class Model:
    """What a figure grows by.

    Attributes:
        constant: what it is at least.
        multiply_accumulates, sigmoids, divisions: for each that a step computes.
        signals: for each observation and action.
        parameter_bytes: for each byte of the parameters' table.
        units: for each neuron.
    """

    constant: float = 0.0
    multiply_accumulates: float = 0.0
    sigmoids: float = 0.0
    divisions: float = 0.0
    signals: float = 0.0
    parameter_bytes: float = 0.0
    units: float = 0.0


MODELS: Mapping[tuple[str, str], Mapping[str, Model]] = {
    ("c-float32", "cfc"): {
        "instructions": Model(constant=175.7, multiply_accumulates=5.691, sigmoids=74.36, signals=26.03),
        "flash": Model(constant=2589, parameter_bytes=1.022, signals=99.84),
        "stack": Model(constant=83.82, units=21.23, signals=0.608),
    },
    ("c-float32", "ltc"): {
        "instructions": Model(constant=334.6, multiply_accumulates=11.78, divisions=11.83, signals=60.1),
        "flash": Model(constant=1993, parameter_bytes=1.052, signals=111.1),
        "stack": Model(constant=106.9, units=18.37, signals=4.965),
    },
    ("c-int16", "cfc"): {
        "instructions": Model(constant=227.5, multiply_accumulates=4.655, sigmoids=62.26, signals=28.59),
        "flash": Model(constant=2093, parameter_bytes=0.9993, signals=97.41),
        "stack": Model(constant=137.3, units=11.62, signals=2.506),
    },
    ("c-int16", "ltc"): {
        "instructions": Model(constant=422.8, multiply_accumulates=5.896, divisions=30.33, signals=35.05),
        "flash": Model(constant=2522, parameter_bytes=1.003, signals=97.38),
        "stack": Model(constant=224, units=13.88, signals=2.625),
    },
}
"""Of each format and cell, the models of `MODELLED`."""


def traits(exported: Exported) -> dict[str, float]:
    """What the models read of a controller in C, by the names of `Model`'s fields."""
    counts = operations(exported.controller).values()
    return {
        "constant": 1.0,
        "multiply_accumulates": float(sum(count.multiply_accumulates for count in counts)),
        "sigmoids": float(sum(count.sigmoids for count in counts)),
        "divisions": float(sum(count.divisions for count in counts)),
        "signals": float(len(exported.controller.observations) + len(exported.controller.actions)),
        "parameter_bytes": float(sum(parameter_bytes(exported.artifact).values())),
        "units": float(exported.controller.cell.units),
    }


def estimated_costs(exported: Exported, target: str) -> dict[str, float]:
    """Instructions, flash, RAM and stack, as `ltc_edge.sweep.figures.firmware` would measure them.

    Raises:
        InputError: there is no model of this format, cell or target.
    """
    form, cell = exported.artifact.form.name, exported.controller.cell.kind
    refuse_unmodelled(form, cell, target)
    found, given = MODELS[form, cell], traits(exported)
    costs = {
        name: float(round(sum(getattr(found[name], trait) * value for trait, value in given.items())))
        for name in MODELLED
    }
    words = -(-exported.controller.state_size * exported.artifact.c_sources().item_bytes // 4)
    return costs | {"ram": float(8 + 4 * words)}


def refuse_unmodelled(form: str, cell: str, target: str) -> None:
    """Refuse what nothing is known of.

    Raises:
        InputError: there is no model of this format, cell or target.
    """
    if (form, cell) in MODELS and target == TARGET:
        return
    cells = " and ".join(dict.fromkeys(kind for _, kind in MODELS))
    forms = " and ".join(dict.fromkeys(name for name, _ in MODELS))
    raise InputError(
        f"--proxy estimates costs of {cells} in {forms} on {TARGET}, not of {cell} in {form} on {target}; "
        "leave --proxy out, and they are measured"
    )
