"""int16 controllers: the C gives the codes of its NumPy reference, and these stay close to the controller."""

import numpy as np
import pytest

from ltc_edge.errors import FormatRefusedError
from ltc_edge.export.c import c_int16, tensors_int16
from ltc_edge.export.c.int16.files import Int16Emulator
from ltc_edge.export.c.int16.guard import code_guard
from ltc_edge.export.c.int16.lowering import lower_steps
from ltc_edge.export.calibration import saturating
from ltc_edge.export.execute import ProgramBatch
from ltc_edge.export.lowering import lower_unit
from ltc_edge.export.program import DT, OBSERVATION, STATE_IN
from ltc_edge.runtimes.host_machine import HostMachine
from ltc_edge.verification.trials import free_run

LARGEST_RMS = {"ltc": 0.01, "cfc": 0.035, "mixed": 0.01}
"""Of the action's deviation; a CfC's is that of its 8-bit weights."""


@pytest.fixture
def emulator(lab):
    def make(kind):
        controller, plan = lab.controller(kind), lab.plan(kind)
        steps = lower_steps(controller, plan)
        return Int16Emulator(steps, code_guard(controller, plan, steps))

    return make


def test_the_c_gives_the_codes_of_its_reference(lab, emulator, integer_kind):
    controller, here = lab.controller(integer_kind), emulator(integer_kind)
    machine = HostMachine(lab.c_sources((integer_kind, "int16")), controller)
    assert machine.reset() == 0
    rng = np.random.default_rng(8)
    run = free_run(controller, steps=300)
    for observation, dt in zip(run.observation, run.dt_s, strict=True):
        # Far beyond what is usual too, where codes saturate.
        given = (observation * rng.choice([1.0, 1.0, 30.0])).astype(np.float32)
        dt = np.float32(dt * rng.choice([1.0, 1.0, 0.1, 10.0]))
        _, action = machine.step(given, float(dt))
        assert action.tobytes() == here.step(given, dt).tobytes()
        assert machine.read_state() == here.state.astype("<i2").tobytes()


def test_it_stays_close_to_the_controller(lab, integer_kind):
    stepper, run = lab.stepper((integer_kind, "int16")), free_run(lab.controller(integer_kind), steps=1500)
    found = lab.steppers.run(stepper, run.observation, run.dt_s)
    rms = np.sqrt(((found - run.action) ** 2).mean(axis=0)) / run.sigma
    assert rms.max() <= LARGEST_RMS.get(integer_kind.split()[0].rstrip(","), 0.02)


def test_its_tensors_are_those_of_the_unit_program(lab):
    """Where one step starts alike, every tensor that both have is off by a few codes at most."""
    controller, plan = lab.controller("ltc"), lab.plan("ltc")
    program, coordinates = lower_unit(controller, plan.coordinates), plan.coordinates
    raw = {OBSERVATION: np.array([0.3, -5.0, 0.1]), DT: np.array([0.02]), STATE_IN: controller.reset_state}
    found = tensors_int16(controller, plan, {name: values.astype(np.float32) for name, values in raw.items()})
    expected = ProgramBatch(program, saturating(program)).tensors(
        coordinates.observation.to_fraction(raw[OBSERVATION])[None],
        coordinates.dt.to_fraction(raw[DT])[None],
        coordinates.state.to_fraction(raw[STATE_IN])[None],
    )
    both = [name for name in found if name in expected and name not in program.constants]
    assert {"ltc.rate.moved", "readout.action"} <= set(both)
    for name in both:
        assert np.abs(found[name] - expected[name][0]).max() <= 2e-3, name


@pytest.mark.parametrize("kind", ["ltc euler", "ltc rk4"])
def test_an_explicit_solver_has_no_integer_form(lab, kind):
    with pytest.raises(FormatRefusedError, match="no bounded integer form"):
        c_int16(lab.controller(kind), lab.plan("ltc"), "demo")


def test_a_step_of_codes_is_the_step_of_raw_values(lab, emulator, tmp_path):
    import ctypes

    from ltc_edge.runtimes.c_compiler import shared_library

    library = ctypes.CDLL(
        str(shared_library(lab.sources(("ltc", "int16")), tmp_path, lab.compilers[:1], ["-std=c99"]))
    )
    here, context = emulator("ltc"), np.zeros(16, dtype=np.uint32)

    def pointer(array):
        return ctypes.c_void_p(array.ctypes.data)

    assert library.demo_reset(pointer(context)) == 0
    rng, action = np.random.default_rng(3), np.zeros(2, dtype=np.int16)
    for _ in range(200):
        codes, dt = rng.integers(-32767, 32768, size=3).astype(np.int16), np.int16(rng.integers(1, 32768))
        library.demo_step_codes(pointer(context), pointer(codes), ctypes.c_int16(dt), pointer(action))
        np.testing.assert_array_equal(action, here.step_codes(codes, np.array([dt])))
