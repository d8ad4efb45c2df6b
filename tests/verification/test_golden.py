"""Golden vectors: the truth of the trained controller, and the codes of the hub's program."""

import dataclasses

import numpy as np
import pytest

from ltc_edge.errors import BundleError
from ltc_edge.export.calibration import excitation
from ltc_edge.export.hub.reader import controller_from_bytes
from ltc_edge.export.hub.writer import hub_bytes
from ltc_edge.export.quantize import make_plan
from ltc_edge.verification.golden import CODES_ERROR, STEPS, check_golden, golden_vectors


@pytest.fixture(scope="module")
def built(tiny_controller):
    return controller_from_bytes(hub_bytes(tiny_controller()), "hub")


@pytest.fixture(scope="module")
def plan(built):
    return make_plan(built, (excitation(built, sequences=4, steps=60, seed=1),))


@pytest.fixture(scope="module")
def golden(built, plan):
    return golden_vectors(built, built, plan)


def test_they_hold_what_is_documented(built, golden):
    shapes = {"observation": 2, "action": 1, "state": 8}
    for name, width in shapes.items():
        assert golden[name].shape == golden[f"int16.{name}"].shape == (STEPS, width)
        assert golden[f"int16.{name}"].dtype == np.int16
    assert golden["dt_s"].shape == (STEPS,)
    assert golden["int16.dt"].shape == (STEPS, 1)
    assert golden_vectors(built, built, None).keys() == {"observation", "dt_s", "action", "state"}


def test_the_codes_say_the_same_as_the_reference(golden, plan):
    real = plan.coordinates.action.center + plan.coordinates.action.span * golden["int16.action"] * 2.0**-15
    assert np.abs(real - golden["action"]).max() < 0.02


def test_they_pass_their_own_check_and_a_last_bit_of_another_machine(built, golden, plan):
    check_golden(built, plan, golden, "golden")
    nudged = golden | {"int16.action": np.clip(golden["int16.action"] + int(CODES_ERROR), -32768, 32767)}
    check_golden(built, plan, nudged, "golden")


def test_codes_are_of_the_hubs_program_and_actions_of_the_trained(built, golden, plan):
    weights = dict(built.parameters)
    weights["readout_weight"] = weights["readout_weight"] * np.float32(1.2)
    other = golden_vectors(dataclasses.replace(built, parameters=weights), built, plan)
    np.testing.assert_array_equal(other["int16.action"], golden["int16.action"])
    assert np.abs(other["action"] - golden["action"]).max() > 0.01


@pytest.mark.parametrize("name", ["action", "int16.action", "int16.state"])
def test_a_change_is_found(built, golden, plan, name):
    changed = golden[name].copy()
    changed[STEPS // 2, 0] += 1e-3 if name == "action" else 100
    with pytest.raises(BundleError, match=r"golden: .* is off by"):
        check_golden(built, plan, golden | {name: changed}, "golden")


@pytest.mark.parametrize("name", ["gleak", "readout_bias", "sensory_w"])
def test_another_controller_is_found(built, golden, plan, name):
    weights = dict(built.parameters)
    weights[name] = weights[name] * np.float32(1.01)
    with pytest.raises(BundleError):
        check_golden(dataclasses.replace(built, parameters=weights), None, golden, "golden")
