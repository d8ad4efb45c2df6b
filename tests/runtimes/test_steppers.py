"""Runtimes in Python: they agree with each other, keep the limits, and let nothing bad into the state."""

import dataclasses
import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ltc_edge import (
    ActionSignal,
    Controller,
    InputError,
    ObservationSignal,
    ReferenceStepper,
    Scaling,
    Stepper,
    Timing,
    wiring,
)
from ltc_edge.cells import CfCSpec, CTRNNSpec, GatedSpec, LTCSpec, MixedMemorySpec
from ltc_edge.runtimes.reference import ReferenceBatch

INPUTS, ACTIONS, STEPS = 3, 2, 300
NCP = wiring.auto_ncp(INPUTS, 9, ACTIONS, seed=4)
CELLS = {
    "ltc": LTCSpec(NCP),
    "ltc clamp": LTCSpec(NCP, positivity="clamp", unfolds=3),
    "ltc dense, not affine": LTCSpec(wiring.dense(INPUTS, 5, ACTIONS), affine=False),
    "ltc exponential": LTCSpec(NCP, solver="exponential", unfolds=3),
    "ltc euler": LTCSpec(NCP, solver="euler", unfolds=60),
    "ltc rk4": LTCSpec(NCP, solver="rk4", unfolds=24),
    "cfc": CfCSpec(INPUTS, 6, backbone_units=12),
    "cfc no gate": CfCSpec(INPUTS, 6, mode="no_gate", backbone_units=12, activation="relu"),
    "cfc pure": CfCSpec(INPUTS, 6, mode="pure", backbone_units=12, activation="gelu"),
    "cfc wired": CfCSpec(INPUTS, 9, NCP),
    "cfc wired pure": CfCSpec(INPUTS, 9, NCP, mode="pure"),
    "ctrnn": CTRNNSpec(INPUTS, 6),
    "lstm": GatedSpec("lstm", INPUTS, 6),
    "gru": GatedSpec("gru", INPUTS, 6),
    "mixed memory, ltc": MixedMemorySpec(LTCSpec(NCP)),
    "mixed memory, cfc wired": MixedMemorySpec(CfCSpec(INPUTS, 9, NCP)),
    "mixed memory, ctrnn": MixedMemorySpec(CTRNNSpec(INPUTS, 6)),
}
SIGNALS = (
    ActionSignal("torque", "N m", -0.4, 0.5, slew=6.0),
    ActionSignal("valve", "%", low=-30.0),
)


def values(cell, rng):
    """Parameters of a plausible size: synapses are positive and sharp, weights a few tenths."""
    ranges = {"gleak": (0.1, 1), "cm": (0.4, 0.6), "w": (0.01, 1), "sigma": (3, 8), "mu": (-0.3, 0.3)}
    ranges |= {"erev": (-1, 1), "input_w": (0.5, 1.5), "output_w": (1, 3)}
    for name, shape in cell.parameter_shapes().items():
        low, high = ranges.get(name.removeprefix("sensory_"), (-0.7, 0.7))
        yield name, rng.uniform(low, high, size=shape)
    yield "readout_weight", rng.normal(size=(ACTIONS, cell.outputs))
    yield "readout_bias", rng.uniform(-0.2, 0.2, size=ACTIONS)


def controller(kind, dtype=np.float64, actions=SIGNALS, **changes):
    cell, rng = CELLS[kind], np.random.default_rng(2)
    parameters = {name: array.astype(dtype) for name, array in values(cell, rng)}
    masks = [layer.mask for layer in getattr(getattr(cell, "cell", cell), "layers", tuple)()]
    for index, mask in enumerate(masks):
        for name in (f"layer_{index}_ff1_weight", f"layer_{index}_ff2_weight"):
            if mask is not None and name in parameters:
                parameters[name] = parameters[name] * mask.T.astype(dtype)
    return Controller(
        **{
            "name": kind,
            "purpose": "control",
            "observations": tuple(ObservationSignal(name) for name in "abc"),
            "normalizer": Scaling(np.array([0.5, -10.0, 0.0]), np.array([0.2, 30.0, 1.0])),
            "cell": cell,
            "parameters": parameters,
            "actions": actions,
            "denormalizer": Scaling(np.array([0.1, 20.0]), np.array([0.8, 40.0])),
            "timing": Timing(0.02, 0.005, 0.1, 0.02),
            "initial_state": rng.uniform(-0.2, 0.2, size=cell.state_size),
            "fallback": np.array([0.05, -1.0]),
            "clip": 2.5,
        }
        | changes
    )


def irregular(steps=STEPS, seed=8):
    """Raw observations of their channels' sizes, and dt from below to above the range allowed."""
    rng = np.random.default_rng(seed)
    observations = np.array([0.5, -10.0, 0.0]) + np.array([0.3, 45.0, 1.5]) * rng.normal(size=(steps, INPUTS))
    return observations, 10.0 ** rng.uniform(-3, -0.5, size=steps)


def run(stepper, observations, spans):
    return np.array([stepper.step(x, float(dt)) for x, dt in zip(observations, spans, strict=True)])


def torch_stepper(of):
    pytest.importorskip("torch", reason="torch is not installed (extra: train)")
    from ltc_edge import TorchStepper

    return TorchStepper(of)


MAKE = {"reference": ReferenceStepper, "torch": torch_stepper}


@pytest.fixture(params=MAKE)
def make_stepper(request):
    return MAKE[request.param]


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-12), (np.float32, 1e-5)])
@pytest.mark.parametrize("kind", CELLS)
def test_torch_equals_the_reference(kind, dtype, tolerance):
    built = controller(kind, dtype)
    observations, spans = irregular()
    reference, other = ReferenceStepper(built), torch_stepper(built)
    expected, got = run(reference, observations, spans), run(other, observations, spans)
    scale = np.array([1.0, 40.0])  # the second action is forty times the first
    assert (np.abs(got - expected) <= tolerance * scale).all()
    cell_size = built.cell.state_size
    np.testing.assert_allclose(
        other.state[:cell_size], reference.state[:cell_size], rtol=0, atol=max(tolerance, 1e-12)
    )


@pytest.mark.parametrize("kind", ["cfc", "gru", "mixed memory, ctrnn"])
def test_the_comparison_reaches_limits_slew_and_clip(kind):
    built = controller(kind)
    observations, spans = irregular()
    actions = run(ReferenceStepper(built), observations, spans)
    low, high = built.limits
    assert ((observations - built.normalizer.offset) / built.normalizer.scale > built.clip).any()
    assert (actions[:, 0] == high[0]).any() or (actions[:, 0] == low[0]).any()
    change = np.abs(np.diff(actions[:, 0], prepend=built.fallback[0]))
    reach = built.slew[0] * np.clip(spans, built.timing.dt_min_s, built.timing.dt_max_s)
    assert np.isclose(change, reach, rtol=1e-9).sum() > 10
    unclipped = run(ReferenceStepper(dataclasses.replace(built, clip=math.inf)), observations, spans)
    assert np.abs(unclipped - actions).max() > 1e-3


@pytest.mark.parametrize("kind", ["ltc", "ltc clamp", "cfc wired"])
def test_without_readout_limits_and_slew(kind):
    """What remains is the cell and the scaling."""
    built = controller(kind, actions=(ActionSignal("a"), ActionSignal("b")), clip=math.inf)
    parameters = {k: v for k, v in built.parameters.items() if not k.startswith("readout")}
    built = dataclasses.replace(built, parameters=parameters)
    observations, spans = irregular(60)
    reference, other = ReferenceStepper(built), torch_stepper(built)
    np.testing.assert_allclose(
        run(other, observations, spans), run(reference, observations, spans), rtol=0, atol=1e-11
    )
    assert other.state.shape == reference.state.shape == (built.cell.state_size,)


@pytest.mark.parametrize("kind", ["ltc", "lstm", "mixed memory, ltc"])
def test_reset_restores_the_first_state(make_stepper, kind):
    built = controller(kind)
    stepper = make_stepper(built)
    assert isinstance(stepper, Stepper)
    np.testing.assert_array_equal(stepper.state, built.reset_state)
    assert stepper.state.shape == (built.state_size,)
    observations, spans = irregular(20)
    first = run(stepper, observations, spans)
    assert first.shape == (20, ACTIONS)
    assert not np.array_equal(stepper.state, built.reset_state)
    stepper.reset()
    np.testing.assert_array_equal(stepper.state, built.reset_state)
    np.testing.assert_array_equal(run(stepper, observations, spans), first)


@pytest.mark.parametrize("kind", ["ltc", "mixed memory, ltc"])
def test_episodes_in_turns_are_what_each_is_alone(make_stepper, kind):
    stepper = make_stepper(controller(kind))
    episodes = [irregular(15, seed) for seed in (1, 2)]
    alone = []
    for episode in episodes:
        stepper.reset()
        alone.append(run(stepper, *episode))
    stepper.reset()
    held, taken = [stepper.hold()] * 2, ([], [])
    for step in range(15):
        for index, (observations, spans) in enumerate(episodes):
            stepper.resume(held[index])
            taken[index].append(stepper.step(observations[step], float(spans[step])))
            held[index] = stepper.hold()
    np.testing.assert_array_equal(taken, alone)


def test_the_state_is_a_copy(make_stepper):
    stepper = make_stepper(controller("ltc"))
    stepper.state[:] = 99.0
    stepper.step(np.zeros(INPUTS), 0.02)[:] = 99.0
    before = stepper.state
    before[:] = 99.0
    assert np.abs(stepper.state).max() < 50


def test_two_steppers_share_nothing(make_stepper):
    built = controller("ltc")
    first, second = make_stepper(built), make_stepper(built)
    first.step(np.ones(INPUTS), 0.02)
    np.testing.assert_array_equal(second.state, built.reset_state)
    np.testing.assert_array_equal(built.reset_state, controller("ltc").reset_state)


BAD = [
    (np.array([0.0, np.nan, 0.0]), 0.02, "channel 1 is nan"),
    (np.array([0.0, 0.0, np.inf]), 0.02, "channel 2 is inf"),
    (np.array([-np.inf, 0.0, 0.0]), 0.02, "channel 0 is -inf"),
    (np.zeros(INPUTS + 1), 0.02, r"shape \(4,\), expected \(3,\)"),
    (np.zeros((1, INPUTS)), 0.02, r"shape \(1, 3\)"),
    (np.zeros(0), 0.02, r"shape \(0,\)"),
    (0.0, 0.02, r"shape \(\)"),
    (["a", "b", "c"], 0.02, "must be numbers"),
    ([[0.0], [0.0, 1.0], 0.0], 0.02, "must be numbers"),
    ([0.0, None, 0.0], 0.02, "channel 1 is nan|must be numbers"),
    (np.zeros(INPUTS), 0.0, "dt is 0.0 s, expected a positive number"),
    (np.zeros(INPUTS), -0.1, "dt is -0.1 s"),
    (np.zeros(INPUTS), math.nan, "dt is nan s"),
    (np.zeros(INPUTS), math.inf, "dt is inf s"),
    (np.zeros(INPUTS), "soon", "must be numbers"),
    (np.zeros(INPUTS), None, "must be numbers"),
    (np.zeros(INPUTS), 10**400, "must be numbers"),
]


@pytest.mark.parametrize(("observation", "dt", "message"), BAD)
def test_unusable_input_is_refused_and_leaves_the_state(make_stepper, observation, dt, message):
    stepper = make_stepper(controller("mixed memory, ltc"))
    good = np.array([0.5, -10.0, 0.0])
    stepper.step(good, 0.02)
    before = stepper.state
    with pytest.raises(InputError, match=message):
        stepper.step(observation, dt)
    np.testing.assert_array_equal(stepper.state, before)
    assert np.isfinite(stepper.step(good, 0.02)).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", CELLS)
def test_no_finite_observation_makes_a_nan(make_stepper, kind, dtype):
    """Not even one beyond float32, with nothing clipped."""
    stepper = make_stepper(controller(kind, dtype, clip=math.inf))
    for size in (1e30, 1e38, 1e39, 1e300):
        for signs in ((1, 1, 1), (-1, 1, -1)):
            assert np.isfinite(stepper.step(size * np.array(signs), 0.02)).all()
            assert np.isfinite(stepper.state).all()


@pytest.mark.parametrize("kind", ["ltc", "cfc", "lstm"])
def test_whole_numbers_and_lists_are_observations_too(make_stepper, kind):
    one, other = make_stepper(controller(kind)), make_stepper(controller(kind))
    expected = one.step(np.array([1.0, 2.0, 3.0]), 0.02)
    np.testing.assert_array_equal(other.step([1, 2, 3], 0.02), expected)
    np.testing.assert_array_equal(
        one.step(np.array([1, 2, 3], dtype=np.int16), 0.02), other.step((1, 2, 3), 0.02)
    )


def test_elapsed_time_is_clamped(make_stepper):
    built = controller("ltc")
    for inside, outside in ((0.005, 1e-9), (0.1, 1e9)):
        one, other = make_stepper(built), make_stepper(built)
        x = np.array([0.7, -30.0, 1.0])
        np.testing.assert_array_equal(one.step(x, inside), other.step(x, outside))
        np.testing.assert_array_equal(one.state, other.state)


@settings(max_examples=30, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.floats(1e-2, 1e3),
    st.tuples(st.floats(-5, 0), st.floats(0.1, 5)),
    st.sampled_from(["ltc", "gru", "ltc rk4"]),
)
def test_actions_keep_the_limits_and_the_slew(seed, slew, limits, kind):
    low, high = limits
    signals = (ActionSignal("a", "", low, high, slew), ActionSignal("b", "", low, high))
    built = controller(kind, actions=signals, fallback=np.array([0.5 * (low + high), low]))
    observations, spans = irregular(40, seed)
    observations = observations * 10.0 ** np.random.default_rng(seed).uniform(0, 3)
    actions = run(ReferenceStepper(built), observations, spans)
    assert ((actions >= low) & (actions <= high)).all()
    reach = slew * np.clip(spans, built.timing.dt_min_s, built.timing.dt_max_s)
    change = np.abs(np.diff(actions[:, 0], prepend=built.fallback[0]))
    assert (change <= reach * (1 + 1e-12) + 1e-15).all()


@pytest.mark.parametrize("kind", CELLS)
def test_rows_of_a_batch_are_independent(kind):
    built = controller(kind)
    batch = ReferenceBatch(built)
    batch.reset(4)
    sequences = [irregular(25, seed) for seed in range(4)]
    steppers = [ReferenceStepper(built) for _ in range(4)]
    for t in range(25):
        actions = batch.step(
            np.stack([observations[t] for observations, _ in sequences]),
            np.array([spans[t] for _, spans in sequences]),
        )
        for row, (observations, spans) in enumerate(sequences):
            expected = steppers[row].step(observations[t], float(spans[t]))
            np.testing.assert_allclose(actions[row], expected, rtol=0, atol=1e-12)
    np.testing.assert_allclose(batch.state, [stepper.state for stepper in steppers], rtol=0, atol=1e-13)


def test_a_row_of_nan_stays_in_its_row():
    batch = ReferenceBatch(controller("ltc"))
    batch.reset(2)
    actions = batch.step(np.array([[np.nan] * INPUTS, [0.5, -10.0, 0.0]]), np.array([0.02, 0.02]))
    assert np.isnan(actions[0]).all()
    assert np.isfinite(actions[1]).all()
    assert np.isfinite(batch.state[1]).all()


@pytest.mark.parametrize("kind", CELLS)
def test_a_torch_batch_equals_the_reference_batch(kind):
    pytest.importorskip("torch", reason="torch is not installed (extra: train)")
    from ltc_edge.network import Network
    from ltc_edge.runtimes.torch_runtime import TorchBatch

    built = controller(kind)
    ours, reference = TorchBatch(Network(built)), ReferenceBatch(built)
    for size in (5, 2):
        ours.reset(size)
        reference.reset(size)
        rng = np.random.default_rng(size)
        for _ in range(15):
            x, spans = rng.normal(size=(size, INPUTS)), rng.uniform(0.001, 0.2, size=size)
            np.testing.assert_allclose(ours.step(x, spans), reference.step(x, spans), rtol=0, atol=1e-11)
        np.testing.assert_allclose(ours.state, reference.state, rtol=0, atol=1e-11)


def test_a_network_becomes_its_controller_again():
    pytest.importorskip("torch", reason="torch is not installed (extra: train)")
    from ltc_edge.controller_file import controller_bytes
    from ltc_edge.network import Network

    for kind in CELLS:
        for dtype in (np.float32, np.float64):
            built = controller(kind, dtype)
            assert controller_bytes(Network(built).controller()) == controller_bytes(built)


BLOCK = """
import sys
class Block:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("torch", "gymnasium", "scipy", "cma", "matplotlib", "ncps"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Block())
"""


def run_python(script):
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)


def test_the_reference_runs_where_there_is_no_torch():
    result = run_python(
        BLOCK
        + """
import numpy as np
from ltc_edge import Controller, ObservationSignal, ActionSignal, Scaling, Timing, ReferenceStepper, wiring
from ltc_edge.cells import LTCSpec
cell = LTCSpec(wiring.auto_ncp(2, 8, 1))
parameters = {name: np.full(shape, 0.5) for name, shape in cell.parameter_shapes().items()}
sensors = (ObservationSignal("a"), ObservationSignal("b"))
built = Controller("c", "control", sensors, Scaling.identity(2), cell, parameters, (ActionSignal("u"),),
    Scaling.identity(1), Timing.of_period(0.1), np.zeros(8), np.zeros(1))
print(ReferenceStepper(built).step(np.ones(2), 0.1).shape)
"""
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == "(1,)"


def test_torch_s_stepper_names_the_extra_where_there_is_no_torch():
    result = run_python(
        BLOCK
        + """
import ltc_edge
from ltc_edge.errors import MissingExtraError
try:
    ltc_edge.TorchStepper
except MissingExtraError as error:
    print(error)
"""
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == "torch is not installed. Install it with: pip install 'ltc-edge[train]'"


def test_importing_is_light():
    result = run_python(
        """
import sys
import ltc_edge, ltc_edge.runtimes.reference, ltc_edge.cells, ltc_edge.controller_file
heavy = {"torch", "onnx", "onnxruntime", "gymnasium", "scipy", "matplotlib", "safetensors.torch", "pyarrow"}
print(sorted(heavy & set(sys.modules)))
"""
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == "[]"
