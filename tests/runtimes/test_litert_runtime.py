"""LiteRTStepper: the protocol, the state's codes, and what it refuses."""

import dataclasses
import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("ai_edge_litert", reason="ai-edge-litert is not installed (extra: litert)")

from ltc_edge import InputError, ReferenceStepper, Stepper
from ltc_edge.errors import ControllerFileError
from ltc_edge.runtimes.codes import Interface
from ltc_edge.runtimes.litert_runtime import LiteRTStepper

_SPEC = importlib.util.spec_from_file_location(
    "litert_cases", Path(__file__).parents[1] / "export" / "litert" / "conftest.py"
)
cases = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(cases)

FORMS = ("float32", "int16", "legacy", "int8")


def stepper(kind, form):
    content, interface = cases.model(kind, form)
    return LiteRTStepper(content, cases.controller(kind), interface)


@pytest.mark.parametrize("form", FORMS)
def test_reset_and_restore(form):
    one = stepper("lstm", form)
    assert isinstance(one, Stepper)
    observations, spans = cases.steppers.irregular(30)
    first = cases.steppers.run(one, observations[:20], spans[:20])
    kept, codes, held = one.state, one.state_codes, one.hold()
    rest = cases.steppers.run(one, observations[20:], spans[20:])
    one.restore(kept)
    np.testing.assert_array_equal(one.state_codes, codes)
    np.testing.assert_array_equal(cases.steppers.run(one, observations[20:], spans[20:]), rest)
    one.resume(held)
    np.testing.assert_array_equal(cases.steppers.run(one, observations[20:], spans[20:]), rest)
    one.reset()
    np.testing.assert_array_equal(cases.steppers.run(one, observations[:20], spans[:20]), first)
    for bad in (np.zeros(3), np.full(kept.shape, np.nan)):
        with pytest.raises(InputError):
            one.restore(bad)


@pytest.mark.parametrize("form", FORMS)
def test_the_state_is_fed_back_verbatim(form):
    """A step from the codes of the state, through an interpreter of its own, is the stepper's step."""
    from ai_edge_litert.interpreter import Interpreter

    content, interface = cases.model("cfc", form)
    one, built = stepper("cfc", form), cases.controller("cfc")
    interpreter = Interpreter(model_content=content, num_threads=1)
    interpreter.allocate_tensors()
    runner = interpreter.get_signature_runner("serving_default")
    codes = interface.state.encode(interface.reset_state)[None]
    observations, spans = cases.steppers.irregular(50)
    for observation, dt in zip(observations, spans, strict=True):
        np.testing.assert_array_equal(one.state_codes, codes[0])
        clamped = np.clip([dt], built.timing.dt_min_s, built.timing.dt_max_s)
        outputs = runner(
            observation=interface.observation.encode(observation)[None],
            dt=interface.dt.encode(clamped)[None],
            state_in=codes,
        )
        action = np.clip(interface.action.decode(outputs["action"][0]), *built.limits)
        np.testing.assert_array_equal(one.step(observation, float(dt)), action)
        codes = outputs["state_out"]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("observation", "dt", "message"), cases.steppers.BAD)
def test_unusable_input_leaves_the_state(form, observation, dt, message):
    one = stepper("cfc", form)
    one.step(np.array([0.5, -10.0, 0.0]), 0.02)
    before = one.state_codes
    with pytest.raises(InputError, match=message):
        one.step(observation, dt)
    np.testing.assert_array_equal(one.state_codes, before)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", ["ltc", "cfc", "lstm", "mixed memory, ltc"])
def test_absurd_observations_keep_actions_finite_and_limited(kind, form):
    one = stepper(kind, form)
    low, high = cases.controller(kind).limits
    for size in (1e30, 1e39, 1e300):
        for signs in ((1, 1, 1), (-1, 1, -1)):
            action = one.step(size * np.array(signs), 0.02)
            assert np.isfinite(action).all()
            assert ((action >= low) & (action <= high)).all()
            assert np.isfinite(one.state).all()


@pytest.mark.parametrize("form", FORMS)
def test_elapsed_time_is_clamped(form):
    for inside, outside in ((0.005, 1e-9), (0.1, 1e9)):
        one, other = stepper("ltc", form), stepper("ltc", form)
        x = np.array([0.7, -30.0, 1.0])
        np.testing.assert_array_equal(one.step(x, inside), other.step(x, outside))


@pytest.mark.parametrize("form", ["float32", "int16"])
@pytest.mark.parametrize("kind", ["gru", "cfc"])
def test_slew_is_kept(kind, form):
    one, built = stepper(kind, form), cases.controller(kind)
    observations, spans = cases.steppers.irregular()
    actions = cases.steppers.run(one, observations, spans)[:, 0]
    reach = built.slew[0] * np.clip(spans, built.timing.dt_min_s, built.timing.dt_max_s)
    change = np.abs(np.diff(actions, prepend=built.fallback[0]))
    step = 2.0**-13 if form == "int16" else 1e-6
    assert (change <= reach + step).all()
    assert np.isclose(change, reach, rtol=1e-2, atol=step).sum() > 10


def test_steppers_share_nothing():
    one, other = stepper("ltc", "int16"), stepper("ltc", "int16")
    one.step(np.ones(3), 0.02)
    np.testing.assert_array_equal(other.state, stepper("ltc", "int16").state)
    one.state[:] = 99.0
    one.state_codes[:] = 99
    assert np.abs(one.state).max() < 50


def test_a_file_of_another_controller_is_refused(tmp_path):
    content, interface = cases.model("ltc", "int16")
    path = tmp_path / "controller.tflite"
    path.write_bytes(content)
    with pytest.raises(InputError, match="channels"):
        LiteRTStepper(path, cases.controller("lstm"))
    with pytest.raises(ControllerFileError, match=r"controller\.tflite: it is coded in another way"):
        LiteRTStepper(path, cases.controller("ltc"), Interface.floating(cases.controller("ltc")))
    other = dataclasses.replace(interface, reset_state=interface.reset_state + 0.25)
    with pytest.raises(ControllerFileError, match="coded in another way"):
        LiteRTStepper(path, cases.controller("ltc"), other)


def test_a_path_and_its_bytes_are_the_same_controller(tmp_path):
    content, _ = cases.model("ltc", "float32")
    path = tmp_path / "controller.tflite"
    path.write_bytes(content)
    built = cases.controller("ltc")
    observations, spans = cases.steppers.irregular(10)
    one = cases.steppers.run(LiteRTStepper(path, built), observations, spans)
    np.testing.assert_array_equal(one, cases.steppers.run(LiteRTStepper(content, built), observations, spans))
    np.testing.assert_allclose(
        one, cases.steppers.run(ReferenceStepper(built), observations, spans), rtol=0, atol=1e-3
    )


def test_nothing_is_printed(tmp_path):
    """LiteRT's own notices stay off the streams that commands write to."""
    script = f"""
import importlib.util, sys
sys.path[:0] = {sys.path!r}
spec = importlib.util.spec_from_file_location("cases", {str(_SPEC.origin)!r})
cases = importlib.util.module_from_spec(spec)
spec.loader.exec_module(cases)
from ltc_edge.runtimes.litert_runtime import LiteRTStepper
import numpy as np
LiteRTStepper(cases.model("ltc", "float32")[0], cases.controller("ltc")).step(np.zeros(3), 0.02)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
