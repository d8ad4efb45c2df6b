"""The hub: a valid ONNX file that computes the reference's step, and says so in a readable way."""

import dataclasses
import importlib.util
import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx.reference import ReferenceEvaluator

from ltc_edge import ActionSignal, InputError, ReferenceStepper, Scaling, Timing, wiring
from ltc_edge.cells import LTCSpec
from ltc_edge.export.hub.check import check_hub_means_what_it_says, controller_scale
from ltc_edge.export.hub.reader import controller_from_bytes
from ltc_edge.export.hub.stages import hub_controller
from ltc_edge.export.hub.writer import hub_bytes, hub_model

_SPEC = importlib.util.spec_from_file_location(
    "stepper_cases", Path(__file__).parents[2] / "runtimes" / "test_steppers.py"
)
cases = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(cases)
CELLS, controller, irregular, run = cases.CELLS, cases.controller, cases.irregular, cases.run


def compare(built, session, tolerance, steps):
    """Run a hub over irregular steps beside the reference; both know the state after a reset."""
    reference = ReferenceStepper(built)
    state = built.reset_state.astype(np.float32)[None]
    for x, dt in zip(*irregular(steps), strict=True):
        feed = {
            "observation": x.astype(np.float32)[None],
            "dt": np.array([[dt]], dtype=np.float32),
            "state_in": state,
        }
        action, state = session.run(["action", "state_out"], feed)
        assert action.shape == (1, len(built.actions))
        assert state.shape == (1, built.state_size)
        expected = reference.step(x, float(dt))
        assert (np.abs(action[0] - expected) <= tolerance * built.denormalizer.scale).all()
        low, high = built.limits
        assert ((action[0].astype(np.float64) >= low) & (action[0].astype(np.float64) <= high)).all()
        size = controller_scale(built, "state")
        assert (np.abs(state[0] - reference.state) <= tolerance * size).all()


@pytest.mark.parametrize("kind", CELLS)
def test_onnxruntime_computes_the_reference_s_step(kind):
    built = controller(kind)
    compare(built, onnxruntime.InferenceSession(hub_bytes(built)), 1e-5, 300)


@pytest.mark.parametrize("kind", CELLS)
def test_onnx_s_own_evaluator_computes_the_reference_s_step(kind):
    built = controller(kind)
    compare(built, ReferenceEvaluator(hub_model(built)), 1e-5, 5)


@pytest.mark.parametrize("kind", ["ltc", "cfc wired", "lstm"])
def test_without_readout_limits_slew_and_clip(kind):
    cell = CELLS[kind]
    names = [ActionSignal(str(i)) for i in range(cell.outputs)]
    parameters = {k: v for k, v in controller(kind).parameters.items() if not k.startswith("readout")}
    changes = {
        "actions": tuple(names),
        "clip": math.inf,
        "parameters": parameters,
        "denormalizer": Scaling.identity(cell.outputs),
        "fallback": np.zeros(cell.outputs),
    }
    built = dataclasses.replace(controller(kind), **changes)
    compare(built, onnxruntime.InferenceSession(hub_bytes(built)), 1e-5, 60)
    model = hub_model(built)
    assert not {"Readout", "Limit", "SlewLimit"} & {node.op_type for node in model.graph.node}
    assert model.graph.output[1].name == "state_out"


@pytest.mark.parametrize("kind", CELLS)
def test_the_file_is_valid_and_the_same_every_time(kind):
    built = controller(kind)
    content = hub_bytes(built)
    assert content == hub_bytes(controller(kind))
    model = onnx.ModelProto.FromString(content)
    onnx.checker.check_model(model, full_check=True)
    onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
    assert (model.ir_version, model.opset_import[0].version) == (8, 17)
    called = {node.op_type for node in model.graph.node if node.domain == "ltc_edge"}
    for function in model.functions:
        called |= {node.op_type for node in function.node if node.domain == "ltc_edge"}
    assert called == {function.name for function in model.functions}
    assert all(function.doc_string for function in model.functions)
    sizes = [[d.dim_value for d in v.type.tensor_type.shape.dim] for v in model.graph.input]
    assert sizes == [[1, 3], [1, 1], [1, built.state_size]]


def test_absent_synapses_are_not_in_the_file():
    built = controller("ltc")
    tensors = {tensor.name: tensor for tensor in hub_model(built).graph.initializer}
    synapses = len(built.cell.wiring.synapses)
    for name in ("source", "target", "sigma", "mu", "w", "erev"):
        assert list(tensors[name].dims) == [synapses]
    w = onnx.numpy_helper.to_array(tensors["w"])
    np.testing.assert_allclose(w, np.log1p(np.exp(built.parameters["w"])), rtol=1e-7)


def test_metadata_is_for_people_and_programs():
    model = hub_model(controller("ltc", provenance={"task": "arm"}))
    entries = {entry.key: entry.value for entry in model.metadata_props}
    document = json.loads(entries["ltc_edge"])
    assert document["period_s"] == 0.02
    assert document["provenance"] == {"task": "arm"}
    assert document["actions"][0] == {"name": "torque", "unit": "N m"}
    assert (entries["observations"], entries["actions"]) == ("a, b, c", "torque [N m], valve [%]")


def test_limits_are_rounded_inwards_and_the_range_of_dt_outwards():
    third = 1.0 / 3.0
    actions = (ActionSignal("a", "", -0.1, 0.1, 0.7), ActionSignal("b", "", -third, third))
    timing = Timing(0.01, 0.01, 0.7, 0.02)
    built = controller("ltc", actions=actions, timing=timing, fallback=np.array([0.1, -third]))
    held = hub_controller(built)
    for before, after in zip(built.actions, held.actions, strict=True):
        assert before.low <= after.low
        assert after.high <= before.high
        assert after.slew <= before.slew
    assert held.timing.dt_min_s <= 0.01
    assert held.timing.dt_max_s >= 0.7
    assert hub_bytes(held) == hub_bytes(built)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"normalizer": Scaling(np.zeros(3), np.array([1.0, 1e-42, 1.0]))}, "a scale is below"),
        ({"denormalizer": Scaling(np.array([1e300, 0.0]), np.ones(2))}, "finite"),
        ({"timing": Timing(0.02, 1e-15, 1e15, 1e-12)}, "dt_max"),
        ({"actions": (ActionSignal("a", "", 0.1, np.nextafter(0.1, 1)), ActionSignal("b"))}, "low"),
    ],
)
def test_what_float32_cannot_hold_is_refused(changes, message):
    fallback = np.array([0.1, 0.0]) if "actions" in changes else np.array([0.05, -1.0])
    with pytest.raises(InputError, match=message):
        hub_bytes(controller("ltc", fallback=fallback, **changes))


def test_a_circuit_may_lack_sensory_or_recurrent_synapses():
    for sensory, recurrent in ((0, 1), (1, 0), (0, 0)):
        roles = tuple(wiring.Role.MOTOR for _ in range(2))
        drawn = wiring.Wiring(
            "custom", np.full((3, 2), sensory, np.int8), np.full((2, 2), recurrent, np.int8), roles
        )
        cell = LTCSpec(drawn)
        rng = np.random.default_rng(0)
        parameters = {name: rng.uniform(0.2, 1, shape) for name, shape in cell.parameter_shapes().items()}
        built = controller("ltc")
        parameters |= {"readout_weight": np.ones((2, 2)), "readout_bias": np.zeros(2)}
        built = dataclasses.replace(
            built, cell=cell, parameters=parameters, initial_state=np.array([0.3, -0.2])
        )
        content = hub_bytes(built)
        compare(built, onnxruntime.InferenceSession(content), 1e-5, 20)
        check_hub_means_what_it_says(content, controller_from_bytes(content, "hub"))


def test_a_neuron_without_capacitance_follows_its_inputs():
    built = controller("ltc clamp")
    parameters = dict(built.parameters) | {"cm": np.zeros(9)}
    built = dataclasses.replace(built, parameters=parameters, initial_state=np.zeros(9))
    with np.errstate(all="raise"):
        compare(built, onnxruntime.InferenceSession(hub_bytes(built)), 1e-5, 50)


def test_no_torch_is_needed():
    script = """
import sys
sys.modules["torch"] = None
import ltc_edge.export.hub.writer, ltc_edge.export.hub.reader, ltc_edge.export.hub.check
"""
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stderr


def test_the_check_holds_where_float32_is_coarse():
    """Sensors with a large offset, a wide range of dt, an explicit solver at its period."""
    wide = Timing(0.02, 1e-6, 1e3, 0.02)
    coarse = Scaling(np.array([1e6, -10.0, 0.0]), np.array([1e-3, 30.0, 1.0]))
    for kind in ("ltc", "ltc euler", "ltc rk4", "cfc wired", "gru"):
        content = hub_bytes(controller(kind, timing=wide, normalizer=coarse))
        check_hub_means_what_it_says(content, controller_from_bytes(content, kind))
