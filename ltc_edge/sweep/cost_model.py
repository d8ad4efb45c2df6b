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

MARGINS: Mapping[str, float] = {
    "instructions": 0.3,
    "flash": 0.3,
    "ram": 0.0,
    "stack": 0.5,
    "parameters": 0.0,
}
"""By how much of a limit an estimate may exceed it before training: as much as estimates were seen to err."""


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
        "instructions": Model(constant=187.2, multiply_accumulates=5.781, sigmoids=72.34, signals=28.62),
        "flash": Model(constant=2615, parameter_bytes=1.018, signals=93.06),
        "stack": Model(constant=81.15, units=21.29, signals=1.274),
    },
    ("c-float32", "ltc"): {
        "instructions": Model(constant=341.1, multiply_accumulates=11.72, divisions=14.97, signals=55.79),
        "flash": Model(constant=2006, parameter_bytes=1.037, signals=110.3),
        "stack": Model(constant=117, units=17.89, signals=2.955),
    },
    ("c-int16", "cfc"): {
        "instructions": Model(constant=245.4, multiply_accumulates=4.788, sigmoids=59.2, signals=32.72),
        "flash": Model(constant=2101, parameter_bytes=0.9982, signals=96.37),
        "stack": Model(constant=137.6, units=11.62, signals=2.415),
    },
    ("c-int16", "ltc"): {
        "instructions": Model(constant=425.8, multiply_accumulates=5.856, divisions=32.23, signals=32.96),
        "flash": Model(constant=2506, parameter_bytes=1.009, signals=96.76),
        "stack": Model(constant=224.6, units=13.78, signals=2.914),
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
