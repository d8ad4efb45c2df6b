"""Models in workers: anybody's ONNX that steps a state, and what is none."""

import json
import os
import signal
import subprocess
import sys

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from ltc_edge.profiling.agent.model import ModelError
from ltc_edge.profiling.agent.processes import ProcessError, Worker
from ltc_edge.profiling.agent.timing import batches, nothing
from ltc_edge.profiling.agent.worker import answer, load
from ltc_edge.profiling.agent_link import agent_package

UNITS, INPUTS = 5, 3


def model_bytes(nodes, inputs, outputs, constants=(), kind=TensorProto.FLOAT):
    def described(names):
        return [helper.make_tensor_value_info(name, kind, shape) for name, shape in names.items()]

    graph = helper.make_graph(
        nodes,
        "foreign",
        described(inputs),
        described(outputs),
        [numpy_helper.from_array(array.astype(np.float32), name) for name, array in dict(constants).items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx.checker.check_model(model)
    return model.SerializeToString()


WEIGHTS = {
    name: np.random.default_rng(seed).normal(size=shape).astype(np.float32)
    for seed, (name, shape) in enumerate(
        {
            "wz": (INPUTS + UNITS, UNITS),
            "wr": (INPUTS + UNITS, UNITS),
            "wn": (INPUTS, UNITS),
            "un": (UNITS, UNITS),
            "wo": (UNITS, 2),
            "one": (1,),
        }.items()
    )
} | {"one": np.ones(1, dtype=np.float32)}


def gru(batch=1):
    """A gated recurrent unit out of plain operators, as an exporter of somebody else's might write it."""
    nodes = [
        helper.make_node("Concat", ["x", "h_in"], ["xh"], axis=1),
        helper.make_node("MatMul", ["xh", "wz"], ["z_in"]),
        helper.make_node("Sigmoid", ["z_in"], ["z"]),
        helper.make_node("MatMul", ["xh", "wr"], ["r_in"]),
        helper.make_node("Sigmoid", ["r_in"], ["r"]),
        helper.make_node("MatMul", ["h_in", "un"], ["hu"]),
        helper.make_node("Mul", ["r", "hu"], ["rhu"]),
        helper.make_node("MatMul", ["x", "wn"], ["xn"]),
        helper.make_node("Add", ["xn", "rhu"], ["n_in"]),
        helper.make_node("Tanh", ["n_in"], ["n"]),
        helper.make_node("Sub", ["one", "z"], ["not_z"]),
        helper.make_node("Mul", ["not_z", "n"], ["new"]),
        helper.make_node("Mul", ["z", "h_in"], ["old"]),
        helper.make_node("Add", ["new", "old"], ["h_out"]),
        helper.make_node("MatMul", ["h_out", "wo"], ["y"]),
    ]
    inputs = {"x": [batch, INPUTS], "h_in": [batch, UNITS]}
    return model_bytes(nodes, inputs, {"y": [batch, 2], "h_out": [batch, UNITS]}, WEIGHTS)


def gru_steps(x, h):
    """The same in numpy, in float64."""
    w = {name: array.astype(np.float64) for name, array in WEIGHTS.items()}
    found = []
    for row in x.astype(np.float64):
        xh = np.concatenate([row, h])
        z, r = (1 / (1 + np.exp(-xh @ w[name])) for name in ("wz", "wr"))
        h = (1 - z) * np.tanh(row @ w["wn"] + r * (h @ w["un"])) + z * h
        found.append(h @ w["wo"])
    return np.stack(found)


@pytest.fixture
def loaded(tmp_path):
    """Loads a model that is described as a request does."""

    def make(content, states=(("h_in", "h_out"),), name="model.onnx", **said):
        (tmp_path / name).write_bytes(content)
        document = {"runtime": "onnx", "model": name, "feeds": {}, "starts": {}, "states": list(states)}
        return load(document | said, tmp_path)

    return make


def actions(model, steps):
    document, block = answer(model, {"do": "actions", "steps": steps})
    return np.frombuffer(block, document["dtype"])


@pytest.mark.parametrize("batch", [1, "batch", None], ids=["fixed", "named", "open"])
def test_somebody_elses_model_steps_its_state(loaded, tmp_path, batch):
    x = np.random.default_rng(7).normal(size=(9, INPUTS)).astype(np.float32)
    start = np.linspace(-1, 1, UNITS, dtype=np.float32)
    (tmp_path / "x.bin").write_bytes(x.tobytes())
    (tmp_path / "h.bin").write_bytes(start.tobytes())
    model, times = loaded(gru(batch), feeds={"x": "x.bin"}, starts={"h_in": "h.bin"})
    assert times["entered_ns"] <= times["imported_ns"] <= times["loaded_ns"] <= times["first_ns"]
    assert times["version"].startswith("onnxruntime ")
    expected = gru_steps(np.concatenate([x, x]), start.astype(np.float64))
    np.testing.assert_allclose(actions(model, 18).reshape(18, 2), expected, atol=2e-6)
    # An odd number of steps leaves the state in the other buffer; the next run begins from the reset again.
    for steps in (1, 3, 2):
        np.testing.assert_allclose(actions(model, steps).reshape(-1, 2), expected[:steps], atol=2e-6)


def test_inputs_that_nothing_feeds_are_drawn_the_same_each_time(loaded):
    first, second = (actions(loaded(gru())[0], 70) for _ in range(2))
    assert np.array_equal(first, second)
    assert np.isfinite(first).all()
    assert first.std() > 0.1


def test_a_state_can_be_the_action(loaded):
    nodes = [helper.make_node("Add", ["h_in", "step"], ["h_out"])]
    counter = model_bytes(nodes, {"h_in": [1, 1]}, {"h_out": [1, 1]}, {"step": np.ones((1, 1))})
    model, _ = loaded(counter)
    assert actions(model, 5).tolist() == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("order", [1, -1])
def test_the_action_is_the_state_it_is_said_to_be(loaded, order):
    """Whatever order states are named in."""
    names = ("a", "b")
    nodes = [helper.make_node("Add", [name, f"{name}_step"], [f"{name}_out"]) for name in names]
    steps = {"a_step": np.ones((1, 1)), "b_step": np.full((1, 1), 10.0)}
    both = model_bytes(nodes, dict.fromkeys(names, (1, 1)), dict.fromkeys(("a_out", "b_out"), (1, 1)), steps)
    states = [(name, f"{name}_out") for name in names[::order]]
    assert actions(loaded(both, states)[0], 3).tolist() == [1, 2, 3]
    assert actions(loaded(both, states, action="b_out")[0], 3).tolist() == [10, 20, 30]


def test_two_states_that_change_places(loaded):
    nodes = [
        helper.make_node("Identity", ["a"], ["b_out"]),
        helper.make_node("Add", ["b", "step"], ["a_out"]),
        helper.make_node("Sub", ["a", "b"], ["y"]),
    ]
    one = [1, 1]
    swap = model_bytes(
        nodes, {"a": one, "b": one}, {"y": one, "a_out": one, "b_out": one}, {"step": np.ones(one)}
    )
    model, _ = loaded(swap, states=[("a", "a_out"), ("b", "b_out")])
    a, b, expected = 0.0, 0.0, []
    for _ in range(6):
        expected.append(a - b)
        a, b = b + 1, a
    assert actions(model, 6).tolist() == expected


def test_requests_have_answers_of_their_lengths(loaded):
    model, _ = loaded(gru())
    usage, block = answer(model, {"do": "singles", "steps": 50, "limit_ns": 10**9, "empty": False})
    assert len(block) == 4 * 50
    assert set(usage) == {"interruptions", "cpu_ns", "wall_ns"}
    assert np.frombuffer(block, "<u4").sum() <= usage["wall_ns"]
    _, block = answer(model, {"do": "singles", "steps": 10**6, "limit_ns": 0, "empty": True})
    assert len(block) == 4
    _, block = answer(model, {"do": "batches", "count": 3, "steps": 4})
    assert (np.frombuffer(block, "<i8").reshape(3, 4) > 0).all()
    _, block = answer(model, {"do": "invoke", "count": 3, "steps": 4})
    assert len(block) == 8 * 3 * 4
    model.invoke = None  # of a runtime that hides its own part
    assert answer(model, {"do": "invoke", "count": 3, "steps": 4}) == ({}, b"")
    _, block = answer(model, {"do": "paced", "period_ns": 1000, "periods": 6})
    assert len(block) == 2 * 4 * 6
    with pytest.raises(ModelError, match="no such request: 'reboot'"):
        answer(model, {"do": "reboot"})


def test_batches_step_as_often_as_they_say():
    done = []
    batches(lambda: done.append(1), 3, 7)
    assert len(done) == 21
    assert nothing() is None


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "cannot load it"),
        (b"not a model", "cannot load it"),
        (gru()[:200], "cannot load it"),
    ],
    ids=["empty", "garbage", "cut"],
)
def test_files_that_are_no_model(loaded, content, said):
    with pytest.raises(ModelError, match=said) as caught:
        loaded(content)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("states", "said"),
    [
        ([("h", "h_out")], r"model.onnx has no input 'h', only x, h_in"),
        ([("h_in", "h")], r"model.onnx has no output 'h', only y, h_out"),
        ([("h_in", "y")], r"goes out as float32 \[1, 2\] and in as float32 \[1, 5\]; they must be alike"),
        ([("x", "h_out")], r"goes out as float32 \[1, 5\] and in as float32 \[1, 3\]"),
    ],
)
def test_states_that_do_not_fit(loaded, states, said):
    with pytest.raises(ModelError, match=said) as caught:
        loaded(gru(), states)
    assert "\n" not in str(caught.value)


def test_an_action_that_is_not_there(loaded):
    with pytest.raises(ModelError, match="has no output 'z', only y, h_out"):
        loaded(gru(), action="z")


def test_a_type_that_is_not_fed(loaded):
    text = model_bytes(
        [helper.make_node("Identity", ["t"], ["u"])], {"t": [1]}, {"u": [1]}, kind=TensorProto.STRING
    )
    with pytest.raises(ModelError, match=r"t is a tensor\(string\), which is not fed here"):
        loaded(text, [])


@pytest.mark.parametrize("size", [0, 5, 4 * INPUTS + 1])
def test_feeds_that_are_no_rows(loaded, tmp_path, size):
    (tmp_path / "x.bin").write_bytes(b"\0" * size)
    with pytest.raises(ModelError, match=f"x.bin has {size} bytes, not rows of 12"):
        loaded(gru(), feeds={"x": "x.bin"})


def test_files_are_those_of_its_folder_alone(loaded, tmp_path):
    with pytest.raises(ModelError, match="cannot load it"):
        loaded(gru(), model="../../../etc/passwd")


@pytest.fixture
def start(tmp_path, monkeypatch):
    """Starts a worker from the agent's own package, as the agent does."""
    package = tmp_path / "agent.zip"
    package.write_bytes(agent_package())
    monkeypatch.setattr("ltc_edge.profiling.agent.processes.__package__", "ltc_edge_agent")
    started = []

    def make(content, states=(("h_in", "h_out"),)):
        (tmp_path / "model.onnx").write_bytes(content)
        document = {"runtime": "onnx", "model": "model.onnx", "feeds": {}, "starts": {}, "states": states}
        started.append(Worker(package, json.dumps(document), tmp_path, []))
        return started[-1]

    yield make
    for worker in started:
        worker.process.end()


def test_a_process_of_its_own(start):
    worker = start(gru())
    times = worker.begin()
    assert times["spawned_ns"] < times["entered_ns"] < times["first_ns"]
    assert worker.process.memory_bytes() > 1 << 20
    _, block = worker.ask({"do": "actions", "steps": 4})
    assert len(block) == 4 * 2 * 4
    with pytest.raises(ProcessError, match="no such request: 'reboot'") as caught:
        worker.ask({"do": "reboot"})
    assert caught.value.kind == "refused"
    os.kill(worker.process._process.pid, signal.SIGKILL)
    with pytest.raises(ProcessError) as caught:
        worker.ask({"do": "actions", "steps": 4})
    assert (caught.value.kind, str(caught.value)) == ("failed", "it was ended by SIGKILL")
    assert worker.process.memory_bytes() is None


def test_a_process_that_is_refused_its_model(start):
    with pytest.raises(ProcessError, match="they must be alike") as caught:
        start(gru(), [("h_in", "y")]).begin()
    assert caught.value.kind == "refused"


@pytest.mark.parametrize("extents", [[1 << 20, 1 << 20], [3, 1 << 20]], ids=["TiB", "MiB"])
def test_a_tensor_that_no_controller_has_is_refused_before_memory_is_asked_for(loaded, extents):
    node = helper.make_node("Neg", ["x"], ["y"])
    graph = helper.make_graph(
        [node], "g", *([helper.make_tensor_value_info(name, TensorProto.FLOAT, extents)] for name in "xy")
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    with pytest.raises(ModelError, match="x is a float32"):
        loaded(model.SerializeToString(), states=())


def test_onnxruntime_tells_nobody_of_models(tmp_path):
    """Where it does, it leaves a file of its session in the temporary folder."""
    script = (
        "import sys; from pathlib import Path\n"
        "from ltc_edge.profiling.agent.worker import load\n"
        "files = {'runtime': 'onnx', 'model': 'model.onnx', 'feeds': {}, 'starts': {}, 'states': []}\n"
        "load(files, Path.cwd())\n"
    )
    (tmp_path / "model.onnx").write_bytes(gru())
    quiet = {key: value for key, value in os.environ.items() if not key.startswith(("ORT_", "CI"))}
    subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env={**quiet, "TMPDIR": str(tmp_path)}, check=True
    )
    assert [path.name for path in tmp_path.iterdir()] == ["model.onnx"]
