"""The ONNX Runtime stepper: a `Stepper` like the others, over float and over integer files."""

import dataclasses
import importlib.util
import json
import math
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import helper, parser

from ltc_edge import InputError, ReferenceStepper, Stepper
from ltc_edge.errors import ControllerFileError
from ltc_edge.export.hub.writer import hub_bytes
from ltc_edge.runtimes.codes import Codes, Interface
from ltc_edge.runtimes.onnx_runtime import OnnxStepper

_SPEC = importlib.util.spec_from_file_location("stepper_cases", Path(__file__).with_name("test_steppers.py"))
cases = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(cases)
controller, irregular, run = cases.controller, cases.irregular, cases.run


def stepper_of(built):
    return OnnxStepper(hub_bytes(built), built)


@pytest.mark.parametrize("kind", cases.CELLS)
def test_it_equals_the_reference(kind):
    built = controller(kind)
    observations, spans = irregular()
    reference, other = ReferenceStepper(built), stepper_of(built)
    expected, got = run(reference, observations, spans), run(other, observations, spans)
    assert (np.abs(got - expected) <= 1e-5 * built.denormalizer.scale).all()
    cell = built.cell.state_size
    np.testing.assert_allclose(other.state[:cell], reference.state[:cell], rtol=0, atol=1e-5)
    low, high = built.limits
    assert ((got >= low) & (got <= high)).all()


@pytest.mark.parametrize("kind", ["ltc", "cfc wired", "mixed memory, ctrnn"])
def test_reset_restores_the_first_state(kind, tmp_path):
    built = controller(kind)
    path = tmp_path / "controller.onnx"
    path.write_bytes(hub_bytes(built))
    stepper = OnnxStepper(path, built)
    assert isinstance(stepper, Stepper)
    np.testing.assert_allclose(stepper.state, built.reset_state, rtol=1e-7)
    observations, spans = irregular(21)
    first = run(stepper, observations, spans)
    stepper.reset()
    np.testing.assert_array_equal(run(stepper, observations, spans), first)


def test_what_it_returns_is_a_copy():
    stepper, other = stepper_of(controller("ltc")), stepper_of(controller("ltc"))
    x = np.array([0.7, -30.0, 1.0])
    first = stepper.step(x, 0.02)
    kept = first.copy()
    stepper.state[:] = 99.0
    stepper.state_codes[:] = 99.0
    np.testing.assert_array_equal(other.step(x, 0.02), kept)
    np.testing.assert_array_equal(stepper.step(x, 0.02), other.step(x, 0.02))
    np.testing.assert_array_equal(first, kept)


@pytest.mark.parametrize(("observation", "dt", "message"), cases.BAD)
def test_unusable_input_is_refused_and_leaves_the_state(observation, dt, message):
    stepper = stepper_of(controller("mixed memory, ltc"))
    good = np.array([0.5, -10.0, 0.0])
    stepper.step(good, 0.02)
    before = stepper.state
    with pytest.raises(InputError, match=message):
        stepper.step(observation, dt)
    np.testing.assert_array_equal(stepper.state, before)
    assert np.isfinite(stepper.step(good, 0.02)).all()


@pytest.mark.parametrize("kind", cases.CELLS)
def test_no_finite_observation_makes_a_nan(kind):
    stepper = stepper_of(controller(kind, clip=math.inf))
    for size in (1e30, 1e38, 1e39, 1e300):
        for signs in ((1, 1, 1), (-1, 1, -1)):
            assert np.isfinite(stepper.step(size * np.array(signs), 0.02)).all()
            assert np.isfinite(stepper.state).all()


def test_elapsed_time_is_clamped():
    built = controller("ltc")
    x = np.array([0.7, -30.0, 1.0])
    for inside, outside in ((0.005, 1e-9), (0.1, 1e9)):
        np.testing.assert_array_equal(stepper_of(built).step(x, inside), stepper_of(built).step(x, outside))


def test_another_controller_s_file_is_refused():
    built = controller("ltc")
    with pytest.raises(ControllerFileError, match=r"state_in is .* expected"):
        OnnxStepper(hub_bytes(controller("lstm")), built)
    with pytest.raises(ControllerFileError, match="cannot load it"):
        OnnxStepper(b"nothing", built)
    with pytest.raises(InputError, match="state has"):
        OnnxStepper(hub_bytes(built), built, Interface.floating(controller("lstm")))


ACCUMULATOR = """
<ir_version: 8, opset_import: ["": 17]>
g (int16[1,3] observation, int16[1,1] dt, int16[1,9] state_in) => (int16[1,2] action, int16[1,9] state_out) {
  three, other = Split <axis = 1> (state_in, sizes)
  wide = Cast <to = 6> (observation)
  before = Cast <to = 6> (three)
  sum = Add(wide, before)
  after = Cast <to = 5> (sum)
  state_out = Concat <axis = 1> (after, other)
  action, rest = Split <axis = 1> (state_out, widths)
}"""


def accumulator():
    """An integer file: its first three states sum the observation, and two of them are the action."""
    model = parser.parse_model(ACCUMULATOR)
    for name, values in (("sizes", [3, 6]), ("widths", [2, 7])):
        model.graph.initializer.append(helper.make_tensor(name, onnx.TensorProto.INT64, [2], values))
    return model.SerializeToString()


def test_an_integer_file_keeps_its_state_exactly():
    built = controller("ltc")
    unlimited = tuple(dataclasses.replace(a, low=-1e9, high=1e9, slew=math.inf) for a in built.actions)
    built = dataclasses.replace(built, actions=unlimited)
    codes = [
        Codes("int16", np.full(n, center), np.full(n, 2.0), 0.25, zero)
        for n, center, zero in ((3, 1.0, 0), (1, 0.0, 7), (9, 0.0, 0), (2, 5.0, 0))
    ]
    stepper = OnnxStepper(accumulator(), built, Interface(*codes, np.zeros(9)))
    for k in range(1, 6):
        action = stepper.step(np.array([2.0, 1.0, -1e9]), 0.02)
        np.testing.assert_array_equal(stepper.state_codes[:2], [2 * k, 0])
        np.testing.assert_allclose(action, [5.0 + 0.5 * 2 * k, 5.0])
    np.testing.assert_allclose(stepper.state[:2], [5.0, 0.0])


@given(
    st.sampled_from(["int8", "int16"]),
    st.floats(-1e3, 1e3),
    st.floats(1e-3, 1e3),
    st.floats(1e-5, 1.0),
    st.integers(-128, 127),
    st.floats(-1e9, 1e9),
)
def test_codes_round_to_the_nearest_and_saturate(dtype, center, span, scale, zero, raw):
    codes = Codes(dtype, np.array([center]), np.array([span]), scale, zero)
    limits = np.iinfo(dtype)
    code = codes.encode(np.array([raw]))
    assert code.dtype == dtype
    back = float(codes.decode(code)[0])
    step = span * scale
    if limits.min < code[0] < limits.max:
        assert abs(back - raw) <= 0.5 * step * (1 + 1e-6) + 1e-9 * abs(raw)
    np.testing.assert_array_equal(codes.encode(codes.decode(code)), code)


def test_an_interface_is_its_json_again():
    built = controller("ltc")
    interface = Interface.floating(built)
    document = json.loads(json.dumps(interface.to_json()))
    assert Interface.from_json(document).to_json() == document
    for change in (
        {"dt": Codes.floating(2).to_json()},
        {"state": None},
        {"reset_state": [0.0]},
        {"reset_state": [float("nan")] * built.state_size},
        {"extra": 1},
        {"observation": document["observation"] | {"scale": 0.0}},
        {"observation": document["observation"] | {"dtype": "float64"}},
        {"observation": document["observation"] | {"zero_point": True}},
        {"observation": document["observation"] | {"center": [10**400]}},
    ):
        with pytest.raises(InputError):
            Interface.from_json(document | change)


@pytest.mark.parametrize("kind", ["ltc", "mixed memory, cfc wired"])
def test_a_restored_state_is_gone_on_from(kind):
    one, other = stepper_of(controller(kind)), stepper_of(controller(kind))
    observations, spans = irregular(21)
    run(one, observations, spans)
    other.restore(one.state)
    held, expected = one.hold(), run(one, observations, spans)
    np.testing.assert_array_equal(run(other, observations, spans), expected)
    one.resume(held)
    np.testing.assert_array_equal(run(one, observations, spans), expected)
    with pytest.raises(InputError, match="a state must be"):
        other.restore(np.zeros(2))
