"""Controllers of every kind in C, made once; compilers and machines that may or may not be here."""

import functools
import importlib.util
import shutil
import types
from pathlib import Path

import pytest

from ltc_edge.export.c import c_float32
from ltc_edge.export.hub.reader import controller_from_bytes
from ltc_edge.export.hub.writer import hub_bytes
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


@functools.cache
def c_sources(kind, name="demo"):
    return c_float32(hub_controller(kind), name)


def sources(kind, name="demo"):
    return c_sources(kind, name).files


def stepper(kind, made=None, **options):
    """The controller compiled here; ``made`` in the place of its own sources."""
    controller = hub_controller(kind)
    machine = HostMachine(made or c_sources(kind), controller, **options)
    return CStepper(machine, controller, Codes.floating(controller.state_size))


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
        controller=hub_controller,
        sources=sources,
        c_sources=c_sources,
        stepper=stepper,
        write=write,
        compilers=compilers(),
        warnings=WARNINGS,
    )


@pytest.fixture(params=["gcc", "clang"])
def compiler(request):
    if shutil.which(request.param) is None:
        pytest.skip(f"{request.param} is not installed")
    return request.param
