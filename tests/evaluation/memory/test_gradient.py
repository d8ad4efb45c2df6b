"""Gradients by lag against differences of the float64 reference."""

import dataclasses

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed (extra: train)")

from ltc_edge.controller import Controller, Scaling, Timing
from ltc_edge.errors import InputError
from ltc_edge.evaluation.memory.gradient import InputSequences, gradients_by_lag
from ltc_edge.network import initial_parameters
from ltc_edge.runtimes.reference import ReferenceBatch
from ltc_edge.signals import ActionSignal, ObservationSignal
from ltc_edge.training.model import cell_spec
from ltc_edge.training.options import ModelOptions

CELLS = {
    "ltc": ModelOptions(cell="ltc", units=4, wiring="dense", linear_readout=True),
    "cfc": ModelOptions(cell="cfc", units=4, wiring="dense", backbone_units=5),
    "ctrnn": ModelOptions(cell="ctrnn", units=4, wiring="dense"),
    "lstm": ModelOptions(cell="lstm", units=4, wiring="dense"),
    "gru": ModelOptions(cell="gru", units=4, wiring="dense"),
    "ltc with memory": ModelOptions(
        cell="ltc", units=4, wiring="dense", linear_readout=True, mixed_memory=True
    ),
    "cfc with memory": ModelOptions(cell="cfc", units=4, wiring="dense", backbone_units=5, mixed_memory=True),
}


def make_controller(model, seed=0):
    cell = cell_spec(model, 2, 2)
    return Controller(
        name="test",
        purpose="regression",
        observations=(ObservationSignal("a"), ObservationSignal("b")),
        normalizer=Scaling(np.array([0.5, -1.0]), np.array([2.0, 0.25])),
        cell=cell,
        parameters=initial_parameters(cell, 2, readout=True, seed=seed),
        actions=(ActionSignal("x"), ActionSignal("y")),
        denormalizer=Scaling.identity(2),
        timing=Timing.of_period(0.1, (0.05, 0.3)),
        initial_state=np.zeros(cell.state_size),
        fallback=np.zeros(2),
        clip=10.0,
        provenance={},
    )


def make_sequences(controller, seed=0, count=3, steps=5):
    rng = np.random.default_rng(seed)
    return InputSequences(
        rng.normal(size=(count, steps, 2)) * controller.normalizer.scale + controller.normalizer.offset,
        rng.uniform(0.06, 0.25, size=(count, steps)),
        0.3 * rng.normal(size=(count, controller.cell.state_size)),
    )


def run(controller, observation, sequences):
    """State and action after the last step, by the float64 reference."""
    batch = ReferenceBatch(controller)
    batch.reset(len(observation))
    batch.state = sequences.state.copy()
    for step in range(observation.shape[1]):
        action = batch.step(observation[:, step], sequences.dt_s[:, step])
    return batch.state, action


def differences(controller, sequences, width=1e-5):
    """Norms by lag of state and action, from central differences of normalised inputs."""
    steps, inputs = sequences.observation.shape[1:]
    squares = np.zeros((2, steps))
    for step in range(steps):
        for channel in range(inputs):
            ends = []
            for sign in (1, -1):
                moved = sequences.observation.copy()
                moved[:, step, channel] += sign * width * controller.normalizer.scale[channel]
                ends.append(run(controller, moved, sequences))
            for which in range(2):
                slope = (ends[0][which] - ends[1][which]) / (2 * width)
                squares[which, steps - 1 - step] += (slope**2).sum() / len(slope)
    return np.sqrt(squares)


@pytest.mark.parametrize("name", list(CELLS))
def test_gradients_are_those_of_the_reference(name):
    controller = make_controller(CELLS[name])
    sequences = make_sequences(controller)
    found = gradients_by_lag(controller, sequences)
    state, action = differences(controller, sequences)
    np.testing.assert_allclose(found.state.norm, state, rtol=1e-5, atol=1e-9)
    np.testing.assert_allclose(found.action.norm, action, rtol=1e-5, atol=1e-9)


def test_random_directions_estimate_the_squared_norm_without_bias():
    controller = make_controller(CELLS["gru"])
    sequences = make_sequences(controller, steps=3)
    exact = gradients_by_lag(controller, sequences).state.norm ** 2
    drawn = [
        gradients_by_lag(controller, sequences, directions=2, seed=seed).state.norm ** 2 for seed in range(16)
    ]
    error = np.std(drawn, axis=0) / 4
    assert (error > 0).all()
    assert (np.abs(np.mean(drawn, axis=0) - exact) < 4 * error).all()


def test_parts_add_up(monkeypatch):
    controller = make_controller(CELLS["ltc"])
    sequences = make_sequences(controller, count=5)
    whole = gradients_by_lag(controller, sequences)
    monkeypatch.setattr("ltc_edge.evaluation.memory.gradient.MOST_REPLICAS", 8)
    np.testing.assert_allclose(gradients_by_lag(controller, sequences).state.norm, whole.state.norm)


def test_memory_keeps_the_gradient_that_a_liquid_cell_loses():
    def after(name, lag):
        controller = make_controller(CELLS[name])
        return gradients_by_lag(controller, make_sequences(controller, steps=lag + 1)).state.share[lag]

    assert after("ltc", 40) < 1e-6
    assert after("ltc with memory", 40) > 1e-6
    assert after("lstm", 40) > after("ltc", 40)


def test_nothing_to_go_along_is_refused():
    controller = make_controller(CELLS["ltc"])
    empty = dataclasses.replace(make_sequences(controller), dt_s=np.zeros((0, 5)))
    with pytest.raises(InputError, match="at least one sequence"):
        gradients_by_lag(controller, empty)
