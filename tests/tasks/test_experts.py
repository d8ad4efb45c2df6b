"""The experts reach their returns, and are functions of the state alone."""

from __future__ import annotations

import numpy as np
import pytest

from ltc_edge.tasks import CheckedPlants, HasActionValues, make_task, task_names
from ltc_edge.tasks.pendulum_physics import MAX_TORQUE_NM, advance

EPISODES = range(10_000, 10_020)


def returns_of(task, seeds):
    plants = CheckedPlants(task)
    readings = plants.reset(list(seeds))
    active, total = np.ones(len(seeds), dtype=bool), np.zeros(len(seeds))
    for _ in range(task.max_steps):
        readings = plants.step(plants.expert(readings.privileged), active)
        total += readings.reward
        active &= ~readings.terminated
        if not active.any():
            break
    plants.close()
    return total


@pytest.mark.parametrize(
    ("name", "least_mean", "least"),
    [
        ("inverted-pendulum", 1000.0, 1000.0),
        ("inverted-double-pendulum", 9359.0, 9355.0),
        ("pendulum", -145.0, -400.0),
        ("cartpole", 500.0, 500.0),
        ("mountain-car-continuous", 96.0, 95.0),
        ("dc-motor", -45.0, -100.0),
    ],
)
def test_expert_reaches_its_return(name, least_mean, least):
    returns = returns_of(make_task(name), EPISODES)
    assert returns.mean() >= least_mean
    assert returns.min() >= least


@pytest.mark.parametrize("name", task_names())
def test_experts_are_batched_and_within_limits(name):
    task = make_task(name)
    plants = task.make_plants()
    width = plants.reset([0]).privileged.shape[1]
    plants.close()
    states = np.random.default_rng(0).normal(0, 3, (64, width))
    if name == "pendulum":
        states[:, 1] = np.clip(states[:, 1], -8, 8)
    actions = task.expert(states)
    assert actions.shape == (64, 1)
    np.testing.assert_array_equal(actions, task.expert(states))
    np.testing.assert_array_equal(actions[5:6], task.expert(states[5:6]))
    assert actions.min() >= task.actions[0].low
    assert actions.max() <= task.actions[0].high


def test_both_sensor_variants_have_the_same_expert_and_privileged_state():
    positions, full = make_task("dc-motor"), make_task("dc-motor", "full")
    seen, all_seen = positions.make_plants().reset([3]), full.make_plants().reset([3])
    assert [signal.name for signal in positions.observations] == ["reference", "encoder_position"]
    assert [signal.name for signal in full.observations][2:] == ["speed", "current"]
    np.testing.assert_array_equal(seen.privileged, all_seen.privileged)
    np.testing.assert_array_equal(seen.observation, all_seen.observation[:, :2])


class TestPendulumActionValues:
    def test_predict_the_return_of_a_torque_then_the_expert(self):
        task = make_task("pendulum")
        assert isinstance(task, HasActionValues)
        states = np.random.default_rng(1).uniform([-np.pi, -3], [np.pi, 3], (12, 2))
        torques, returns = task.action_values(states)
        assert returns.shape == (12, len(torques))
        for column in (0, 12, 24):
            angle, velocity, total = advance(states[:, 0], states[:, 1], torques[column])
            for _ in range(400):
                action = task.expert(np.stack([angle, velocity], axis=1))[:, 0]
                angle, velocity, reward = advance(angle, velocity, action)
                total = total + reward
            # Interpolation smooths the ridge where swinging either way costs the same.
            assert np.median(np.abs(total - returns[:, column])) < 3
            np.testing.assert_allclose(total, returns[:, column], rtol=0.1, atol=4)

    def test_rest_upright_is_worth_nothing_and_needs_no_torque(self):
        task = make_task("pendulum")
        torques, returns = task.action_values(np.zeros((1, 2)))
        assert torques[returns[0].argmax()] == 0
        assert returns.max() == 0
        assert abs(task.expert(np.zeros((1, 2)))[0, 0]) < 1e-12

    def test_mirrored_states_have_mirrored_torques(self):
        states = np.random.default_rng(2).uniform([-np.pi, -8], [np.pi, 8], (200, 2))
        torques, returns = make_task("pendulum").action_values(states)
        _, mirrored = make_task("pendulum").action_values(-states)
        np.testing.assert_allclose(returns, mirrored[:, ::-1], atol=0.5)
        assert torques[0] == -MAX_TORQUE_NM
        assert torques[-1] == MAX_TORQUE_NM
