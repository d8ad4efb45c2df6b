"""Files of every kind of cell against the reference and the simulation."""

import dataclasses
import json
import sys

import numpy as np
import pytest

pytest.importorskip("ai_edge_litert", reason="ai-edge-litert is not installed (extra: litert)")

from ltc_edge import ReferenceStepper
from ltc_edge.errors import FormatRefusedError, MissingExtraError
from ltc_edge.export.litert import floating_model, integer_interface, integer_model
from ltc_edge.export.lowering import lower_floating
from ltc_edge.export.simulate import simulate16
from ltc_edge.runtimes.codes import Interface
from ltc_edge.runtimes.litert_file import read_litert
from ltc_edge.runtimes.litert_runtime import LiteRTStepper, intermediate_tensors

KINDS = (
    "ltc",
    "ltc clamp",
    "ltc dense, not affine",
    "ltc exponential",
    "ltc euler",
    "ltc rk4",
    "cfc",
    "cfc no gate",
    "cfc pure",
    "cfc wired",
    "cfc wired pure",
    "ctrnn",
    "lstm",
    "gru",
    "mixed memory, ltc",
    "mixed memory, cfc wired",
    "mixed memory, ctrnn",
)
INTEGER_KINDS = tuple(kind for kind in KINDS if kind not in ("ltc euler", "ltc rk4"))
SCALE = np.array([1.0, 40.0])
"""The second action is forty times the first."""


@pytest.mark.parametrize("kind", KINDS)
def test_float32_equals_the_reference(cases, kind):
    built = cases.controller(kind)
    content, interface = cases.model(kind, "float32")
    observations, spans = cases.irregular()
    got = cases.run(LiteRTStepper(content, built, interface), observations, spans)
    expected = cases.run(ReferenceStepper(built), observations, spans)
    assert (np.abs(got - expected) <= 2e-5 * SCALE).all()
    low, high = built.limits
    assert ((got >= low) & (got <= high)).all()


@pytest.mark.parametrize(
    ("kind", "form"),
    [(k, f) for k in INTEGER_KINDS for f in ("int16", "legacy") if (k, f) != ("cfc pure", "legacy")],
)
def test_int16_follows_the_reference(cases, kind, form):
    built = cases.controller(kind)
    content, interface = cases.model(kind, form)
    observations, spans = cases.irregular()
    got = cases.run(LiteRTStepper(content, built, interface), observations, spans)
    expected = cases.run(ReferenceStepper(built), observations, spans)
    rms = np.sqrt(((got - expected) ** 2).mean(axis=0)) / expected.std(axis=0)
    assert (rms < 0.06).all(), rms
    low, high = built.limits
    assert ((got >= low) & (got <= high)).all()


@pytest.mark.parametrize("kind", INTEGER_KINDS)
def test_int16_steps_equal_the_simulation(cases, kind):
    """From the same codes, step by step, so that nothing accumulates."""
    built = cases.controller(kind)
    content, interface = cases.model(kind, "int16")
    program, plan = cases.planned(kind)
    simulation = simulate16(program, plan.tensors, plan.dense)
    stepper = LiteRTStepper(content, built, interface)
    observations, spans = cases.irregular(60)
    timing, apart = built.timing, []
    for observation, dt in zip(observations, spans, strict=True):
        codes = {
            "observation": interface.observation.encode(observation),
            "dt": interface.dt.encode(np.clip([dt], timing.dt_min_s, timing.dt_max_s)),
            "state_in": stepper.state_codes,
        }
        stepper.step(observation, float(dt))
        real = [codes[name][None] * plan.tensors[name].scale16 for name in codes]
        _, state = simulation.step(*real)
        apart.append(stepper.state_codes - state[0] / plan.tensors["state_in"].scale16)
    # A code or two for each table look-up on the way, amplified by the weights after it; EXP is coarser.
    most = 128 if "pure" in kind else 64
    assert np.abs(apart).max() <= most
    assert np.sqrt(np.mean(np.square(apart))) <= most / 8


@pytest.mark.parametrize("kind", ["cfc", "cfc no gate", "cfc pure", "cfc wired", "gru"])
def test_int8_runs(cases, kind):
    built = cases.controller(kind)
    content, interface = cases.model(kind, "int8")
    observations, spans = cases.irregular()
    got = cases.run(LiteRTStepper(content, built, interface), observations, spans)
    expected = cases.run(ReferenceStepper(built), observations, spans)
    rms = np.sqrt(((got - expected) ** 2).mean(axis=0)) / expected.std(axis=0)
    assert (rms < 0.7).all(), rms


@pytest.mark.parametrize("kind", INTEGER_KINDS)
def test_integers_alone(cases, kind):
    """No tensor and no operator of floating point, and inputs and outputs in integers."""
    for form, dtype in (("int16", "int16"), ("int8", "int8")):
        file = read_litert(cases.model(kind, form)[0], kind)
        assert not [t.name for t in file.tensors if t.dtype == "float32"]
        assert not [o for o in file.operators if o.kind in ("QUANTIZE", "DEQUANTIZE")]
        for index in (*file.inputs.values(), *file.outputs.values()):
            assert file.tensors[index].dtype == dtype


def test_only_divisions_of_the_old_runtime_are_in_float32(cases):
    file = read_litert(cases.model("ltc", "legacy")[0], "ltc")
    of_float = {o.kind for o in file.operators if file.tensors[o.outputs[0]].dtype == "float32"}
    assert of_float == {"DEQUANTIZE", "DIV"}


@pytest.mark.parametrize("form", ["float32", "int16", "int8"])
def test_constants_are_stored_once(cases, form):
    content, _ = cases.model("ltc", form)
    constants = [t.data.tobytes() for t in read_litert(content, "ltc").tensors if t.data is not None]
    for data in constants:
        if len(data) > 64 and len(set(data)) > 8:  # not one that others may hold, as zeros
            assert content.count(data) == 1


@pytest.mark.parametrize("form", ["float32", "int16", "legacy", "int8"])
def test_the_same_controller_gives_the_same_bytes(cases, form):
    content, _ = cases.model("ltc", form)
    assert cases.model.__wrapped__("ltc", form)[0] == content


def test_smaller_than_float(cases):
    """As soon as there are more weights than operators; of a small LTC the operators are most of the file."""
    assert len(cases.model("cfc", "int16")[0]) < len(cases.model("cfc", "float32")[0])
    assert len(cases.model("ltc", "int16")[0]) < 20_000


def test_a_file_explains_itself(cases):
    content, interface = cases.model("ltc", "int16")
    file = read_litert(content, "ltc")
    assert file.document["name"] == "ltc"
    assert json.dumps(file.interface.to_json()) == json.dumps(interface.to_json())
    assert list(file.inputs) == ["observation", "dt", "state_in"]
    assert list(file.outputs) == ["action", "state_out"]


def test_names_and_signature_are_what_an_interpreter_shows(cases):
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=cases.model("ltc", "int16")[0])
    signature = {"inputs": ["dt", "observation", "state_in"], "outputs": ["action", "state_out"]}
    assert interpreter.get_signature_list() == {"serving_default": signature}
    inputs = {d["name"]: (d["dtype"], list(d["shape"])) for d in interpreter.get_input_details()}
    assert inputs == {
        "observation": (np.int16, [1, 3]),
        "dt": (np.int16, [1, 1]),
        "state_in": (np.int16, [1, 11]),
    }
    assert {d["name"] for d in interpreter.get_output_details()} == {"action", "state_out"}


def test_tensors_of_a_step_by_name(cases):
    built = cases.controller("ltc")
    content, interface = cases.model("ltc", "int16")
    program, plan = cases.planned("ltc")
    raw = {"observation": np.array([0.6, -20.0, 0.3]), "dt": np.array([0.02]), "state_in": built.reset_state}
    codes = {name: getattr(interface, name.removesuffix("_in")).encode(raw[name]) for name in raw}
    seen = intermediate_tensors(content, codes)
    real = {name: codes[name] * plan.tensors[name].scale16 for name in codes}
    simulated = simulate16(program, plan.tensors, plan.dense).tensors(
        real["observation"][None], real["dt"][None], real["state_in"][None]
    )
    seen |= {name: seen.pop(role) for role, name in program.outputs.items()}
    assert {o.output for o in program.operations} <= seen.keys()
    for name, values in seen.items():
        np.testing.assert_allclose(values, simulated[name][0], rtol=0, atol=64 * plan.tensors[name].scale16)


def test_all_tensors_of_the_program_are_in_the_float_file(cases):
    content, interface = cases.model("cfc", "float32")
    codes = {"observation": np.zeros(3, np.float32), "dt": np.full(1, 0.02, np.float32)}
    seen = intermediate_tensors(content, codes | {"state_in": interface.state.encode(interface.reset_state)})
    program = lower_floating(cases.controller("cfc"))
    assert {o.output for o in program.dense()} <= seen.keys()


def test_an_old_runtime_without_an_operator_is_refused_its_file(cases):
    with pytest.raises(FormatRefusedError, match="GELU") as refused:
        cases.model("cfc pure", "legacy")
    assert refused.value.reason == "no-kernel"


def test_explicit_solvers_have_no_integers(cases):
    with pytest.raises(FormatRefusedError, match="solver"):
        cases.planned("ltc euler")


def test_without_litert_one_line_names_the_extra(cases, monkeypatch):
    monkeypatch.setitem(sys.modules, "ai_edge_litert.schema_py_generated", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'ltc-edge\[litert\]'"):
        floating_model(
            lower_floating(cases.controller("ltc")), Interface.floating(cases.controller("ltc")), {}
        )


def test_odd_scales_are_refused_when_written(cases):
    program, plan = cases.planned("gru")
    interface = integer_interface(program, plan, cases.controller("gru").reset_state)
    for scale in (0.0, float("nan"), 2.0**-60):
        name = next(o.output for o in program.dense())
        odd = dataclasses.replace(plan.tensors[name], scale16=scale)
        broken = dataclasses.replace(plan, tensors={**plan.tensors, name: odd})
        with pytest.raises(FormatRefusedError) as refused:
            integer_model(program, broken, interface)
        assert refused.value.reason == "out-of-range"
