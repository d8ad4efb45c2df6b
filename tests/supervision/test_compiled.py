"""A controller's own C behind its supervisor, in this process."""

import ctypes
import dataclasses

import numpy as np
import pytest

from ltc_edge.bundle.bundle import load_bundle
from ltc_edge.errors import InputError
from ltc_edge.export.c import c_float32, c_int16
from ltc_edge.export.calibration import excitation
from ltc_edge.export.hub.reader import controller_from_bytes
from ltc_edge.export.hub.writer import hub_bytes
from ltc_edge.export.quantize import make_plan
from ltc_edge.runtimes.host_machine import HostMachine
from ltc_edge.supervision import Mode, Request, SupervisedController, default_settings, status_names
from ltc_edge.supervision.supervisor import Input

QUICK = ("-std=c99", "-O0", "-ffp-contract=off")
"""How this compiles: the bits are the same."""


@pytest.fixture(scope="module")
def controller(tiny_controller):
    return controller_from_bytes(hub_bytes(tiny_controller()), "tiny")


@pytest.fixture(scope="module")
def sources(controller):
    plan = make_plan(controller, (excitation(controller, sequences=4, steps=60, seed=3),))
    return {"c-float32": c_float32(controller, "tiny"), "c-int16": c_int16(controller, plan, "tiny")}


@pytest.fixture(scope="module")
def supervised(controller, sources):
    """Makes a format's, which recovers after three steps."""
    settings = dataclasses.replace(default_settings(controller), recover_steps=3, handover_s=0.0)
    made = {}

    def make(form):
        if form not in made:
            made[form] = SupervisedController(sources[form], settings, flags=QUICK)
        made[form].start()
        return made[form]

    return make


@pytest.mark.parametrize("form", ["c-float32", "c-int16"])
def test_an_armed_controller_acts_as_it_does_alone(form, controller, sources, supervised):
    guarded, alone = supervised(form), HostMachine(sources[form], controller, flags=QUICK)
    assert guarded.start_status == alone.reset() == 0
    rng = np.random.default_rng(1)
    for step in range(60):
        observation, dt_s = rng.normal(size=2), float(rng.uniform(0.02, 0.07))
        found = guarded.step(Input(observation.tolist(), dt_s, requests=Request.ARM))
        _, action = alone.step(observation.astype(np.float32), dt_s)
        assert found.mode == (Mode.ACTIVE if step >= 2 else Mode.FALLBACK)
        assert np.float32(found.proposal) == action
        assert step < 2 or found.action == found.proposal
    state = alone.read_state()
    assert bytes(guarded.context[4 : 4 + len(state)]) == state


def test_a_context_that_was_changed_is_reset_and_recovers(supervised):
    guarded = supervised("c-float32")
    given = Input([0.3, 0.1], dt_s=0.02, requests=Request.ARM)
    for _ in range(5):
        guarded.step(given)
    guarded.context[9] ^= 64
    outputs = [guarded.step(given) for _ in range(4)]
    assert [output.mode for output in outputs] == [Mode.FALLBACK] * 3 + [Mode.ACTIVE]
    assert status_names(outputs[0].status)[:2] == ("state-out-of-bounds", "controller-fault")


def test_c_steps_it_at_its_addresses(supervised):
    guarded = supervised("c-float32")
    expected = [guarded.step(Input([0.3, 0.1], dt_s=0.02, requests=Request.ARM)) for _ in range(5)]
    guarded.start()
    there, floats = guarded.addresses, ctypes.POINTER(ctypes.c_float)
    step = ctypes.CFUNCTYPE(ctypes.c_uint32, floats, *(ctypes.c_uint32,) * 3, floats)(there.step)
    given, action = (ctypes.c_float * 6)(0.02, 0.3, 0.1), (ctypes.c_float * 1)()
    proposal = (ctypes.c_float * 1).from_address(there.proposal)
    mode = ctypes.c_uint32.from_address(there.mode)
    for output in expected:
        assert step(given, 0, 0, Request.ARM, action) == output.status
        assert (tuple(action), tuple(proposal), mode.value) == (output.action, output.proposal, output.mode)
    assert expected[-1].mode == Mode.ACTIVE


def test_two_of_them_do_not_share_memory(supervised):
    one, other = supervised("c-float32"), supervised("c-int16")
    one.step(Input([0.3, 0.1], dt_s=0.02, requests=Request.SHADOW))
    assert (one.memory[0], other.memory[0]) == (Mode.SHADOW, Mode.DISARMED)


def test_settings_of_another_controller_are_refused(controller, sources):
    settings = dataclasses.replace(default_settings(controller), observations=("one",), oldest_s=(0.2,))
    with pytest.raises(InputError, match="for 1 readings and 1 actions, the controller has 2 and 1"):
        SupervisedController(sources["c-float32"], settings, flags=QUICK)


def test_a_bundle_is_supervised_with_its_own_limits(unverified_bundle):
    bundle = load_bundle(unverified_bundle("c-float32"))
    supervised = SupervisedController.of_bundle(bundle)
    assert supervised.settings == default_settings(bundle.controller)
    assert supervised.step(Input([0.0, 0.0], 0.02)).mode == Mode.DISARMED
