"""Rolling whole batches through the integers: every code that of the plan's own arithmetic."""

import dataclasses
import importlib.util
from pathlib import Path

import numpy as np
import pytest

from ltc_edge import ActionSignal
from ltc_edge.export.calibration import excitation, measure, unit_steps
from ltc_edge.export.integer_rollout import IntegerBatch, IntegerRollout
from ltc_edge.export.onnx_integer import int16_interface, onnx_int16
from ltc_edge.export.quantize import make_plan, quantize
from ltc_edge.export.simulate import simulate16
from ltc_edge.runtimes.onnx_runtime import OnnxStepper

_SPEC = importlib.util.spec_from_file_location(
    "stepper_cases", Path(__file__).parents[1] / "runtimes" / "test_steppers.py"
)
cases = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(cases)
KINDS = [kind for kind in cases.CELLS if kind not in ("ltc euler", "ltc rk4")]


def calibrated(controller):
    return (excitation(controller, sequences=4, steps=40, seed=3),)


def quantized(controller):
    return quantize(controller, measure(controller, calibrated(controller)))


@pytest.mark.parametrize("kind", KINDS)
def test_every_code_is_that_of_the_plan(kind):
    controller = cases.controller(kind)
    step = quantized(controller)
    sequences = excitation(controller, sequences=6, steps=20, seed=5)
    actions, states = IntegerRollout(controller, step).run(sequences.observation, sequences.dt_s)
    program, at = step.program, step.coordinates
    simulated = simulate16(program, step.tensors, step.dense)
    held = np.tile(at.state.to_fraction(controller.reset_state), (6, 1))
    inputs = unit_steps(controller, at, sequences)
    for index, (observation, dt) in enumerate(zip(inputs.observation, inputs.dt, strict=True)):
        tensors = simulated.tensors(observation, dt, held)
        held = tensors[program.outputs["state_out"]]
        np.testing.assert_array_equal(states[:, index], at.state.to_raw(held))
        asked = at.action.to_raw(tensors["readout.action"])
        np.testing.assert_array_equal(actions[:, index], np.clip(asked, *controller.limits))


def test_sequences_go_on_from_any_state(tiny_controller):
    controller = tiny_controller()
    integers = IntegerRollout(controller, quantized(controller))
    sequences = excitation(controller, sequences=3, steps=20, seed=6)
    whole, states = integers.run(sequences.observation, sequences.dt_s)
    rest, last = integers.run(sequences.observation[:, 8:], sequences.dt_s[:, 8:], states[:, 7])
    np.testing.assert_array_equal(rest, whole[:, 8:])
    np.testing.assert_array_equal(last, states[:, 8:])


@pytest.mark.parametrize("slew", [np.inf, 4.0])
def test_as_a_policy_it_acts_as_the_exported_file(tiny_controller, slew):
    """But for a tie that float32 breaks the other way, which the state may carry on for a while."""
    controller = tiny_controller(actions=(ActionSignal("drive", "V", -1.0, 1.0, slew),))
    plan = make_plan(controller, calibrated(controller))
    policy = IntegerBatch(IntegerRollout(controller, quantized(controller)))
    file = OnnxStepper(
        onnx_int16(controller, plan, {}).SerializeToString(), controller, int16_interface(controller, plan)
    )
    sequences = excitation(controller, sequences=1, steps=60, seed=7)
    policy.reset(1)
    file.reset()
    code = plan.coordinates.action.span[0] * plan.tensors["state_in"].scale16
    found = []
    for observation, dt in zip(sequences.observation[0], sequences.dt_s[0], strict=True):
        ours = policy.step(observation[None], np.array([dt]))[0, 0]
        found.append((ours - file.step(observation, float(dt))[0]) / code)
    assert np.abs(found).max() <= 64
    assert np.mean(np.abs(found) > 0.5) <= 0.2


def test_a_controller_that_moved_keeps_its_measured_ranges(tiny_controller):
    controller = tiny_controller()
    measured = measure(controller, (excitation(controller, sequences=8, steps=60, seed=3),))
    moved = dict(controller.parameters)
    moved["erev"] = moved["erev"] * np.float32(1.01)
    step = quantize(dataclasses.replace(controller, parameters=moved), measured)
    before = quantize(controller, measured)
    assert (step.coordinates.state.span != before.coordinates.state.span).any()
    np.testing.assert_array_equal(step.coordinates.observation.span, before.coordinates.observation.span)
    assert step.program.sizes == before.program.sizes
