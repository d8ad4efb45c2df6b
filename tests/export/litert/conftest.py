"""One controller of each kind of cell, and its files."""

import functools
import importlib.util
import types
from pathlib import Path

import numpy as np
import pytest
from made_once import made_once

from ltc_edge.export.calibration import Sequences, excitation
from ltc_edge.export.litert import floating_model, integer_interface, integer_model
from ltc_edge.export.lowering import lower_floating, lower_unit
from ltc_edge.export.quantize import make_plan
from ltc_edge.runtimes.codes import Interface

_SPEC = importlib.util.spec_from_file_location(
    "stepper_cases", Path(__file__).parents[2] / "runtimes" / "test_steppers.py"
)
steppers = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(steppers)


@functools.cache
def controller(kind):
    return steppers.controller(kind)


@made_once
def planned(kind):
    """The program in integers and its plan, calibrated on what the tests feed."""
    built = controller(kind)
    observations, spans = steppers.irregular(2000, seed=5)
    side_by_side = (observations.reshape(8, 250, -1), spans.reshape(8, 250))
    own = Sequences(*side_by_side, np.ones((8, 250), dtype=np.bool_), "the tests' own")
    plan = make_plan(built, (own, excitation(built, sequences=8, steps=100, seed=1)))
    return lower_unit(built, plan.coordinates), plan


@made_once
def model(kind, form):
    """The file of one form and its interface."""
    built = controller(kind)
    if form == "float32":
        interface = Interface.floating(built)
        return floating_model(lower_floating(built), interface, {"name": kind}), interface
    program, plan = planned(kind)
    bits, division = {"int16": (16, "integer"), "legacy": (16, "float"), "int8": (8, "integer")}[form]
    interface = integer_interface(program, plan, built.reset_state, bits)
    content = integer_model(program, plan, interface, {"name": kind}, bits=bits, division=division)
    return content, interface


@pytest.fixture(scope="session")
def cases():
    """Controllers, plans and files, each made once."""
    return types.SimpleNamespace(
        controller=controller, planned=planned, model=model, irregular=steppers.irregular, run=steppers.run
    )
