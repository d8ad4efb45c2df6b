"""Operations of a step against counts by hand, and against the operators of the hub's graph."""

import importlib.util
from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import onnx.inliner
import onnxruntime
import pytest

from ltc_edge.export.hub.reader import controller_from_bytes
from ltc_edge.export.hub.writer import hub_bytes
from ltc_edge.profiling.operations import Operations, operations

SPEC = importlib.util.spec_from_file_location(
    "stepper_cases_of_operations", Path(__file__).parents[1] / "runtimes" / "test_steppers.py"
)
steppers = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(steppers)

SIGMOIDS = ("Sigmoid", "Tanh", "Exp", "Erf")


def elements_in_the_hub(content):
    """Elements that operators of each kind make in a step; divisions by what is not a constant alone."""
    model = onnx.inliner.inline_local_functions(onnx.load_model_from_string(content))
    constant = {tensor.name for tensor in model.graph.initializer}
    counted = {}
    for node in model.graph.node:
        if all(name in constant for name in node.input):
            constant.update(node.output)
        elif node.op_type != "Div" or node.input[1] not in constant:
            counted[node.output[0]] = node.op_type
    del model.graph.output[:]
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in counted)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    feed = {each.name: np.full(each.shape, 0.1, dtype=np.float32) for each in session.get_inputs()}
    found = Counter()
    for kind, values in zip(counted.values(), session.run(None, feed), strict=True):
        found[kind] += values.size
    return found


@pytest.fixture(params=list(steppers.CELLS))
def case(request):
    content = hub_bytes(steppers.controller(request.param))
    return request.param, controller_from_bytes(content, request.param), elements_in_the_hub(content)


def test_sigmoids_are_those_of_the_hub(case):
    kind, controller, elements = case
    found = operations(controller)
    counted = sum(part.sigmoids for part in found.values())
    if "sensory" in found:
        # The hub's matrices hold all synapses, so that it does the sensory ones in every sub-step again, and
        # among them the leak, as one that is always open.
        spec = getattr(controller.cell, "cell", controller.cell)
        times = spec.unfolds * (4 if "rk4" in kind else 1)
        counted += (times - 1) * found["sensory"].sigmoids + times
    assert counted == sum(elements[operator] for operator in SIGMOIDS) > 0


def test_divisions_of_an_ltc_are_those_of_the_hub_and_one_by_the_elapsed_time(case):
    kind, controller, elements = case
    if "ltc" not in kind or "euler" in kind or "rk4" in kind:
        assert sum(part.divisions for part in operations(controller).values()) <= elements["Div"]
        return
    # Exponential Euler multiplies by the elapsed time.
    by_time = 0 if "exponential" in kind else 1
    assert operations(controller)["unfolds"].divisions == elements["Div"] + by_time


def test_an_ltc_by_hand():
    controller = controller_from_bytes(hub_bytes(steppers.controller("ltc")), "ltc")
    spec = controller.cell
    synapses, sensory = len(spec.wiring.synapses), len(spec.wiring.sensory_synapses)
    found = operations(controller)
    # A synapse is a multiplication before its sigmoid, and two after it: current and conductance.
    assert found["sensory"] == Operations(3 * sensory, sensory, 0)
    assert found["unfolds"] == Operations(
        # A sub-step also multiplies capacitances by potentials; their products with the rate come once.
        spec.unfolds * (3 * synapses + spec.units) + spec.units,
        spec.unfolds * synapses,
        spec.unfolds * spec.units + 1,
    )
    assert found["readout"] == Operations(np.count_nonzero(controller.parameters["readout_weight"]), 0, 0)


def test_gated_cells_by_hand():
    controller = controller_from_bytes(hub_bytes(steppers.controller("gru")), "gru")
    i, n = controller.cell.inputs, controller.cell.units
    assert operations(controller)["cell"] == Operations(3 * n * (i + n + 1) + 2 * n, 3 * n, 0)
    controller = controller_from_bytes(hub_bytes(steppers.controller("lstm")), "lstm")
    assert operations(controller)["cell"] == Operations(4 * n * (i + n + 1) + 3 * n, 5 * n, 0)


def test_mixed_memory_is_a_part_of_its_own():
    controller = controller_from_bytes(hub_bytes(steppers.controller("mixed memory, ltc")), "mixed")
    i, n = controller.cell.inputs, controller.cell.units
    found = operations(controller)
    assert list(found)[:4] == ["sensory", "unfolds", "memory", "readout"]
    assert found["memory"] == Operations(4 * n * (i + n) + 3 * n, 5 * n, 0)
