"""ONNX with integers: the files compute the plan's step, carry the state exactly, and are small."""

import dataclasses
import importlib.util
import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from made_once import made_once
from onnx.reference import ReferenceEvaluator

from ltc_edge import ActionSignal, Controller, InputError, ObservationSignal, Scaling, Timing, wiring
from ltc_edge.cells import CfCSpec, LTCSpec
from ltc_edge.export.calibration import excitation
from ltc_edge.export.execute import ProgramBatch
from ltc_edge.export.hub.writer import hub_bytes
from ltc_edge.export.lowering import lower_unit
from ltc_edge.export.onnx_integer import (
    METADATA_KEY,
    debug_outputs,
    int8_interface,
    int16_interface,
    onnx_int8,
    onnx_int16,
)
from ltc_edge.export.program import Dense
from ltc_edge.export.quantize import make_plan
from ltc_edge.export.simulate import round16, simulate16, with_integer_weights, with_rounded_constants
from ltc_edge.runtimes.codes import Interface
from ltc_edge.runtimes.onnx_runtime import OnnxStepper

_SPEC = importlib.util.spec_from_file_location(
    "stepper_cases", Path(__file__).parents[1] / "runtimes" / "test_steppers.py"
)
cases = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(cases)
irregular = cases.irregular
KINDS = [kind for kind in cases.CELLS if kind not in ("ltc euler", "ltc rk4")]
LONG = ("ltc", "cfc wired", "lstm", "mixed memory, ctrnn")
"""One kind of each family, which is run for longer."""
FORMS = {"int8": (onnx_int8, int8_interface), "int16": (onnx_int16, int16_interface)}
DESCRIPTION = {"name": "a controller", "period_s": 0.02}


@made_once
def planned(kind, slew=True):
    built = cases.controller(kind)
    if not slew:
        free = tuple(dataclasses.replace(signal, slew=np.inf) for signal in built.actions)
        built = dataclasses.replace(built, actions=free)
    return built, make_plan(built, (excitation(built, sequences=8, steps=60, seed=3),))


def session(model):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(model.SerializeToString(), options)


def feeds(built, plan, form, steps, seed=5):
    """Inputs from within the ranges and beyond them, and any state."""
    rng = np.random.default_rng(seed)
    seen, timing = plan.coordinates.observation, built.timing
    for _ in range(steps):
        spread = rng.uniform(-1.3, 1.3, size=(1, len(seen.span)))
        codes = rng.integers(-32768, 32768, size=(1, built.state_size))
        yield {
            "observation": (seen.center + seen.span * spread).astype(np.float32),
            "dt": rng.uniform(timing.dt_min_s / 2, timing.dt_max_s * 1.5, size=(1, 1)).astype(np.float32),
            "state_in": codes.astype(np.int16) if form == "int16" else (codes / 32768).astype(np.float32),
        }


def fractions(built, plan, feed):
    """The same inputs as the program takes them, in float64."""
    at, timing = plan.coordinates, built.timing
    state = feed["state_in"].astype(np.float64)
    if feed["state_in"].dtype == np.int16:
        state *= plan.tensors["state_in"].scale16
    dt = np.clip(feed["dt"].astype(np.float64), timing.dt_min_s, timing.dt_max_s)
    observation = at.observation.to_fraction(feed["observation"].astype(np.float64))
    return np.clip(observation, -1, 1), at.dt.to_fraction(dt), state


def int8_batch(built, plan):
    """The int8 file's arithmetic in float64; the action is limited before its slew is."""
    program = lower_unit(built, plan.coordinates)
    low, high = built.limits
    ends = np.where(np.isfinite(low), -1.0, -np.inf), np.where(np.isfinite(high), 1.0, np.inf)
    program = with_rounded_constants(with_integer_weights(program, plan.dense), plan.tensors)
    return ProgramBatch(program, lambda name, v: np.clip(v, *ends) if name == "readout.action" else v)


@pytest.mark.parametrize("slew", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_int8_is_the_program_with_integer_weights(kind, slew):
    built, plan = planned(kind, slew)
    model = onnx_int8(built, plan, DESCRIPTION)
    runners, batch = (session(model), ReferenceEvaluator(model)), int8_batch(built, plan)
    for index, feed in enumerate(feeds(built, plan, "int8", 40)):
        fraction, state = batch.step(*fractions(built, plan, feed))
        expected = np.clip(plan.coordinates.action.to_raw(fraction), *built.limits)
        # ONNX's own evaluator is slow.
        for runner in runners if index < 8 else runners[:1]:
            got, following = runner.run(["action", "state_out"], feed)
            assert (np.abs(got - expected) <= 2e-5 * plan.coordinates.action.span).all()
            np.testing.assert_allclose(following, state, rtol=0, atol=2e-5)


@pytest.mark.parametrize("slew", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_int16_is_the_simulated_step(kind, slew):
    """But for the odd tie that float32 breaks the other way, which later tensors may magnify."""
    built, plan = planned(kind, slew)
    program = lower_unit(built, plan.coordinates)
    model = onnx_int16(built, plan, DESCRIPTION)
    runner, simulated = session(model), simulate16(program, plan.tensors, plan.dense)
    scale, unequal, steps = plan.tensors["state_in"].scale16, 0, 60
    for feed in feeds(built, plan, "int16", steps):
        fraction, state = simulated.step(*fractions(built, plan, feed))
        got, following = runner.run(["action", "state_out"], feed)
        assert following.dtype == np.int16
        expected = np.clip(plan.coordinates.action.to_raw(fraction), *built.limits)
        assert (np.abs(got - expected) <= 1e-2 * plan.coordinates.action.span).all()
        difference = np.abs(following - state / scale)
        assert difference.max() <= 256
        unequal += (difference > 0).any()
    assert unequal <= 0.4 * steps


@pytest.mark.parametrize("kind", KINDS)
def test_every_int16_tensor_is_the_rounded_result_of_its_inputs(kind):
    """To the code, except at ties that float32 breaks the other way."""
    built, plan = planned(kind)
    program = lower_unit(built, plan.coordinates)
    debug = debug_outputs(onnx_int16(built, plan, DESCRIPTION))
    onnx.checker.check_model(debug, full_check=True)
    runner = session(debug)
    exact = with_rounded_constants(with_integer_weights(program, plan.dense), plan.tensors)
    names = [output.name for output in runner.get_outputs()]
    off = values = 0
    for feed in feeds(built, plan, "int16", 12):
        seen = dict(zip(names, runner.run(names, feed), strict=True))
        for name in program.inputs:
            seen[name] = seen[f"{name}.fraction"]
        for operation in exact.operations:
            alone = dataclasses.replace(exact, operations=(operation,), outputs={})
            result = _single(alone, operation, seen)
            step = plan.tensors[operation.output].scale16
            difference = (
                np.abs(seen[operation.output] - round16(result, plan.tensors[operation.output])) / step
            )
            assert difference.max() <= 1, operation.output
            off, values = off + np.count_nonzero(difference), values + difference.size
    assert off <= 2e-3 * values


def _single(program, operation, seen):
    """One operation in float64 on the values that the file had."""
    batch = ProgramBatch(program)
    given = {name: value.astype(np.float64) for name, value in seen.items()}
    batch.program = dataclasses.replace(program, constants=program.constants | given)
    # The three inputs are among the constants already; tensors() overwrites them with the same.
    inputs = (given[name] for name in ("observation", "dt", "state_in"))
    return batch.tensors(*inputs)[operation.output]


@pytest.mark.parametrize("kind", ["ltc", "cfc wired", "lstm"])
def test_onnx_s_own_evaluator_rounds_as_onnxruntime_does(kind):
    # Without slew: an unlimited channel's reach is beyond the int32 that the evaluator casts to.
    built, plan = planned(kind, slew=False)
    model = onnx_int16(built, plan, DESCRIPTION)
    runner, evaluator = session(model), ReferenceEvaluator(model)
    for feed in feeds(built, plan, "int16", 10):
        (_, one), (_, other) = (r.run(["action", "state_out"], feed) for r in (runner, evaluator))
        assert np.abs(one.astype(int) - other.astype(int)).max() <= 64


def test_rounding_saturates_and_breaks_ties_to_even():
    built, plan = planned("ltc")
    model = onnx_int16(built, plan, DESCRIPTION)
    (function,) = (f for f in model.functions if f.name == "Round16")
    values = np.array([0.5, 1.5, 2.5, -0.5, -1.5, 32766.5, 32767.4, 4e4, -32768.5, -4e4, 1e30, -1e30, np.inf])
    small = onnx.helper.make_model(
        onnx.helper.make_graph(
            [onnx.helper.make_node("Round16", ["x", "step"], ["y"], domain=function.domain)],
            "rounding",
            [onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [len(values)])],
            [onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [len(values)])],
            [onnx.numpy_helper.from_array(np.float32(2.0**-11), "step")],
        ),
        functions=[function],
        opset_imports=model.opset_import,
        ir_version=model.ir_version,
    )
    (got,) = session(small).run(None, {"x": (values * 2.0**-11).astype(np.float32)})
    expected = [0, 2, 2, 0, -2, 32766, 32767, 32767, -32768, -32768, 32767, -32768, 32767]
    np.testing.assert_array_equal(got * 2.0**11, expected)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", KINDS)
def test_the_state_is_carried_exactly_over_many_steps(kind, form):
    """Through the stepper's bound buffers, and through copies as integers."""
    built, plan = planned(kind)
    write, describe = FORMS[form]
    model, interface = write(built, plan, DESCRIPTION), describe(built, plan)
    stepper = OnnxStepper(model.SerializeToString(), built, interface)
    runner = session(model)
    state = interface.state.encode(built.reset_state)[None]
    low, high = built.limits
    for x, dt in zip(*irregular(1000 if kind in LONG else 150), strict=True):
        action = stepper.step(x, float(dt))
        elapsed = np.clip(dt, built.timing.dt_min_s, built.timing.dt_max_s)
        feed = {"observation": x.astype(np.float32)[None], "dt": np.float32(elapsed).reshape(1, 1)}
        raw, state = runner.run(["action", "state_out"], feed | {"state_in": state})
        # Where a buffer lies in memory may change the last bit of a float sum, never a carried state.
        close = 0 if form == "int16" else 1e-5
        np.testing.assert_allclose(stepper.state_codes, state[0], rtol=0, atol=close)
        np.testing.assert_allclose(action, raw[0], rtol=close, atol=close)
        assert ((raw[0].astype(np.float64) >= low) & (raw[0].astype(np.float64) <= high)).all()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", KINDS)
def test_the_file_is_valid_deterministic_and_says_what_it_holds(kind, form):
    built, plan = planned(kind)
    write, describe = FORMS[form]
    model, again = write(built, plan, DESCRIPTION), write(built, plan, DESCRIPTION)
    onnx.checker.check_model(model, full_check=True)
    onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True)
    assert model.SerializeToString(deterministic=True) == again.SerializeToString(deterministic=True)
    versions = {entry.domain: entry.version for entry in model.opset_import}
    assert (model.ir_version, versions[""]) == ((10, 21) if form == "int16" else (8, 17))
    (entry,) = model.metadata_props
    document = json.loads(entry.value)
    assert (entry.key, document["kind"]) == (METADATA_KEY, f"onnx-{form}")
    assert (document["format"], document["schema"]) == ("ltc-edge integer graph", 1)
    assert document.items() >= DESCRIPTION.items()
    stated = Interface.from_json(document["interface"])
    assert stated.to_json() == describe(built, plan).to_json()
    span = plan.coordinates.state.span
    assert (np.abs(stated.reset_state - built.reset_state) <= 1e-7 * span).all()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", KINDS)
def test_debug_outputs_name_the_program_s_tensors_and_change_nothing(kind, form):
    built, plan = planned(kind)
    model = FORMS[form][0](built, plan, DESCRIPTION)
    debug = debug_outputs(model)
    onnx.checker.check_model(debug, full_check=True)
    program = lower_unit(built, plan.coordinates)
    names = {output.name for output in debug.graph.output}
    missing = {operation.output for operation in program.operations} - names
    assert missing == (set() if form == "int16" else {program.outputs["state_out"]})
    one, other = session(model), session(debug)
    for feed in feeds(built, plan, form, 10):
        for got, expected in zip(
            other.run(["action", "state_out"], feed), one.run(["action", "state_out"], feed), strict=True
        ):
            if form == "int16":
                np.testing.assert_allclose(got, expected, rtol=0, atol=64 if got.dtype == np.int16 else 1)
            else:
                np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("kind", "calls"), [("ltc", 6), ("ltc clamp", 3), ("ctrnn", 6), ("cfc", 0)])
@pytest.mark.parametrize("form", FORMS)
def test_repeated_sub_steps_are_calls_of_one_function(kind, calls, form):
    built, plan = planned(kind)
    model = FORMS[form][0](built, plan, DESCRIPTION)
    assert sum(node.op_type == "SubStep" for node in model.graph.node) == calls
    assert sum(function.name == "SubStep" for function in model.functions) == (calls > 0)


def test_sub_steps_that_differ_in_weights_share_the_function_and_those_of_another_form_do_not():
    built, plan = planned("ltc")
    program = lower_unit(built, plan.coordinates)
    first, second = [o.output for o in program.operations if isinstance(o, Dense) and "unfold_1" in o.output][
        :2
    ]
    dense = dict(plan.dense)
    dense[second] = dataclasses.replace(dense[second], scale=2 * dense[second].scale)
    other = dataclasses.replace(plan, dense=dense)
    model = onnx_int8(built, other, DESCRIPTION)
    assert [f.name for f in model.functions] == ["SubStep"]
    _agrees(built, other, model)
    # Without its bias the first is another operation.
    dense[first] = dataclasses.replace(dense[first], bias=np.zeros_like(dense[first].bias))
    model = onnx_int8(built, other, DESCRIPTION)
    assert not model.functions
    _agrees(built, other, model)


def _agrees(built, plan, model):
    runner, batch = session(model), int8_batch(built, plan)
    for feed in feeds(built, plan, "int8", 10):
        _, state = batch.step(*fractions(built, plan, feed))
        np.testing.assert_allclose(runner.run(["state_out"], feed)[0], state, rtol=0, atol=2e-5)


@pytest.mark.parametrize("kind", ["ltc", "cfc", "lstm"])
def test_onnxruntime_makes_the_float_weights_once(kind, tmp_path):
    """No node that only prepares constants is left in what runs a step, nor one that onnxruntime adds."""
    built, plan = planned(kind)
    for write, _ in FORMS.values():
        options = onnxruntime.SessionOptions()
        options.optimized_model_filepath = str(tmp_path / "optimized.onnx")
        options.log_severity_level = 3
        onnxruntime.InferenceSession(write(built, plan, DESCRIPTION).SerializeToString(), options)
        nodes = onnx.load(options.optimized_model_filepath).graph.node
        depends = {"observation", "dt", "state_in"}
        for node in nodes:
            assert depends.intersection(node.input), node.op_type
            depends.update(node.output)
        assert not {"DequantizeLinear", "MatMulNBits", "DynamicQuantizeMatMul"} & {n.op_type for n in nodes}


def sized(kind, units):
    """A controller of four inputs as an engineer would have, with random parameters."""
    made = {"ltc": lambda: LTCSpec(wiring.auto_ncp(4, units, 1)), "cfc": lambda: CfCSpec(4, units)}
    cell, rng = made[kind](), np.random.default_rng(units)
    parameters = {name: array.astype(np.float32) for name, array in cases.values(cell, rng)}
    parameters["readout_weight"] = np.ones((1, cell.outputs), dtype=np.float32)
    parameters["readout_bias"] = np.zeros(1, dtype=np.float32)
    return Controller(
        f"{kind} {units}",
        "control",
        tuple(ObservationSignal(name) for name in "abcd"),
        Scaling.identity(4),
        cell,
        parameters,
        (ActionSignal("u", "", -1.0, 1.0),),
        Scaling.identity(1),
        Timing.of_period(0.02),
        np.zeros(units),
        np.zeros(1),
    )


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("units", [19, 32])
@pytest.mark.parametrize("kind", ["ltc", "cfc"])
def test_files_are_smaller_than_the_hub(kind, units, form):
    built = sized(kind, units)
    plan = make_plan(built, (excitation(built, sequences=4, steps=40, seed=1),))
    size = len(FORMS[form][0](built, plan, DESCRIPTION).SerializeToString())
    assert size < len(hub_bytes(built))


@pytest.mark.parametrize("form", FORMS)
def test_extreme_observations_saturate(form):
    built, plan = planned("ltc")
    write, describe = FORMS[form]
    stepper = OnnxStepper(write(built, plan, DESCRIPTION).SerializeToString(), built, describe(built, plan))
    for size in (1e30, 1e39, 1e300):
        for sign in (1, -1):
            assert np.isfinite(stepper.step(sign * size * np.ones(3), 0.02)).all()
            assert np.isfinite(stepper.state).all()


def test_a_cell_without_a_unit_form_is_refused():
    built, plan = cases.controller("ltc rk4"), planned("ltc")[1]
    with pytest.raises(InputError, match="no bounded integer form"):
        onnx_int8(built, plan, DESCRIPTION)
