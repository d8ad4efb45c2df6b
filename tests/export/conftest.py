"""One controller of each kind of cell, as the steppers' tests have them, and its plan."""

import dataclasses
import importlib.util
import types
from pathlib import Path

import numpy as np
import pytest
from made_once import made_once

from ltc_edge import ActionSignal
from ltc_edge.export.calibration import excitation
from ltc_edge.export.quantize import make_plan

_SPEC = importlib.util.spec_from_file_location(
    "stepper_cases", Path(__file__).parents[1] / "runtimes" / "test_steppers.py"
)
steppers = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(steppers)

EXPLICIT = ("ltc euler", "ltc rk4")
# Limits that float32 has exactly, so that the reference and the floating form limit alike.
SIGNALS = (ActionSignal("torque", "N m", -0.375, 0.5, slew=6.0), ActionSignal("valve", "%", low=-30.0))


def controller(kind, **changes):
    return steppers.controller(kind, **({"actions": SIGNALS} | changes))


def without_limits(built):
    free = tuple(
        dataclasses.replace(signal, low=-np.inf, high=np.inf, slew=np.inf) for signal in built.actions
    )
    return dataclasses.replace(built, actions=free)


@made_once
def planned(kind):
    built = controller(kind)
    return built, make_plan(built, (excitation(built, sequences=4, steps=60, seed=3),))


@pytest.fixture(scope="session")
def zoo():
    """Controllers and plans, each plan made once."""
    return types.SimpleNamespace(
        controller=controller,
        without_limits=without_limits,
        planned=planned,
        irregular=steppers.irregular,
        run=steppers.run,
        cells=steppers.CELLS,
    )


@pytest.fixture(params=list(steppers.CELLS))
def kind(request):
    """Every kind of cell."""
    return request.param


@pytest.fixture(params=[kind for kind in steppers.CELLS if kind not in EXPLICIT])
def integer_kind(request):
    """Every kind of cell that has a unit form."""
    return request.param
