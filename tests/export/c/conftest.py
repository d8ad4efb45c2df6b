"""Controllers of every kind in C, made once; compilers and machines that may or may not be here."""

import functools
import importlib.util
import shutil
import types
from pathlib import Path

import pytest
from made_once import made_once

from ltc_edge.bundle.calibration import from_excitation
from ltc_edge.export.c import c_float32, c_int16
from ltc_edge.export.c.int16.guard import state_codes
from ltc_edge.export.hub.reader import controller_from_bytes
from ltc_edge.export.hub.writer import hub_bytes
from ltc_edge.export.quantize import make_plan
from ltc_edge.runtimes.c_stepper import CStepper
from ltc_edge.runtimes.codes import Codes
from ltc_edge.runtimes.host_machine import HostMachine

STEPPERS = Path(__file__).parents[2] / "runtimes" / "test_steppers.py"
WARNINGS = ("-std=c99", "-Wall", "-Wextra", "-Wconversion", "-Wdouble-promotion", "-pedantic", "-Werror")


@functools.cache
def steppers():
    """The module of the runtimes' tests: its cells and its controllers."""
    spec = importlib.util.spec_from_file_location("steppers_for_c", STEPPERS)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@functools.cache
def hub_controller(kind):
    return controller_from_bytes(hub_bytes(steppers().controller(kind)), kind)


@made_once
def plan(kind):
    return make_plan(hub_controller(kind), (from_excitation(hub_controller(kind)),))


def written(controller, state_type, name="demo", plan=None):
    """A controller in C, with a plan of its own where none is given."""
    if state_type == "float32":
        return c_float32(controller, name)
    return c_int16(controller, plan or make_plan(controller, (from_excitation(controller),)), name)


@made_once
def c_sources(case, name="demo"):
    """The sources of a case: a kind of controller in float32, or (kind, state type)."""
    kind, state_type = (case, "float32") if isinstance(case, str) else case
    return written(hub_controller(kind), state_type, name, plan(kind) if state_type == "int16" else None)


def sources(case, name="demo"):
    return c_sources(case, name).files


def controller_of(case):
    return hub_controller(case if isinstance(case, str) else case[0])


def stepper(case, made=None, **options):
    """The controller compiled here; ``made`` in the place of its own sources."""
    controller, made = controller_of(case), made or c_sources(case)
    floating = made.state_type == "float32"
    codes = Codes.floating(controller.state_size) if floating else state_codes(plan(case[0]))
    return CStepper(HostMachine(made, controller, **options), controller, codes)


def write(files, folder):
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return sorted(name for name in files if name.endswith(".c"))


def compilers():
    return [name for name in ("gcc", "clang") if shutil.which(name)]


@pytest.fixture(scope="session")
def lab():
    """What the tests of this folder share."""
    return types.SimpleNamespace(
        steppers=steppers(),
        controller=controller_of,
        plan=plan,
        written=written,
        sources=sources,
        c_sources=c_sources,
        stepper=stepper,
        write=write,
        compilers=compilers(),
        warnings=WARNINGS,
    )


EXPLICIT = ("ltc euler", "ltc rk4")
CASES = [(kind, "float32") for kind in steppers().CELLS]
CASES += [(kind, "int16") for kind in steppers().CELLS if kind not in EXPLICIT]


@pytest.fixture(params=CASES, ids="-".join)
def case(request):
    """Every kind of cell in every arithmetic that it has."""
    return request.param


@pytest.fixture(params=["float32", "int16"])
def ltc(request):
    """An LTC in both arithmetics."""
    return "ltc", request.param


@pytest.fixture(params=["gcc", "clang"])
def compiler(request):
    if shutil.which(request.param) is None:
        pytest.skip(f"{request.param} is not installed")
    return request.param
