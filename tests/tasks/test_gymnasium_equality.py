"""The built-in plants do what Gymnasium's environments do, step for step."""

from __future__ import annotations

import gymnasium
import numpy as np
import pytest

from ltc_edge.tasks import make_task

SEEDS = (0, 1, 7, 10_003)


def run_gymnasium(env_id, seed, actions):
    env = gymnasium.make(env_id, disable_env_checker=True).unwrapped
    observation, _ = env.reset(seed=seed)
    rows = [(observation, 0.0, False)]
    for action in actions:
        if env_id == "CartPole-v1":
            action = int(action[0] > 0)
        observation, reward, terminated, _, _ = env.step(action)
        rows.append((np.array(observation), reward, terminated))
        if terminated:
            break
    env.close()
    return rows


def run_plants(name, seed, actions):
    plants = make_task(name, "full").make_plants()
    readings = plants.reset([seed])
    rows = [(readings.observation[0], readings.reward[0], readings.terminated[0])]
    for action in actions:
        readings = plants.step(action[None], np.ones(1, dtype=bool))
        rows.append((readings.observation[0], readings.reward[0], readings.terminated[0]))
        if readings.terminated[0]:
            break
    plants.close()
    return rows


def assert_same_episode(ours, theirs, tolerance):
    assert len(ours) == len(theirs)
    for step, (mine, other) in enumerate(zip(ours, theirs, strict=True)):
        np.testing.assert_allclose(mine[0], other[0], rtol=0, atol=tolerance, err_msg=f"step {step}")
        assert mine[1] == pytest.approx(other[1], rel=0, abs=1e-9), step
        assert bool(mine[2]) == bool(other[2]), step


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    ("name", "env_id", "scale", "tolerance"),
    [
        ("inverted-double-pendulum", "InvertedDoublePendulum-v5", 0.2, 1e-12),
        ("inverted-pendulum", "InvertedPendulum-v5", 1.0, 1e-12),
        # Gymnasium rounds the observations of these to float32.
        ("pendulum", "Pendulum-v1", 2.0, 1e-6),
        ("cartpole", "CartPole-v1", 1.0, 1e-6),
        ("mountain-car-continuous", "MountainCarContinuous-v0", 1.0, 1e-7),
    ],
)
def test_random_actions_give_gymnasiums_episode(name, env_id, scale, tolerance, seed):
    actions = np.random.default_rng(seed).uniform(-scale, scale, (300, 1))
    ours, theirs = run_plants(name, seed, actions), run_gymnasium(env_id, seed, actions)
    assert_same_episode(ours, theirs, tolerance)


@pytest.mark.parametrize(
    ("name", "env_id"),
    [
        ("inverted-double-pendulum", "InvertedDoublePendulum-v5"),
        ("inverted-pendulum", "InvertedPendulum-v5"),
        ("pendulum", "Pendulum-v1"),
        ("mountain-car-continuous", "MountainCarContinuous-v0"),
    ],
)
def test_signals_period_and_length_are_gymnasiums(name, env_id):
    task = make_task(name, "full")
    env = gymnasium.make(env_id)
    assert task.max_steps == env.spec.max_episode_steps
    assert task.reward_threshold == env.spec.reward_threshold
    period_s = getattr(env.unwrapped, "dt", None) or 1 / env.unwrapped.metadata["render_fps"]
    assert task.period_s == pytest.approx(period_s)
    assert len(task.observations) == env.observation_space.shape[0]
    assert [action.low for action in task.actions] == env.action_space.low.tolist()
    assert [action.high for action in task.actions] == env.action_space.high.tolist()
    env.close()


def test_end_stops_push_back_as_gymnasiums_do():
    task = make_task("inverted-double-pendulum", "full")
    plants = task.make_plants()
    readings, actions = plants.reset([0]), []
    for _ in range(200):
        # Balanced around a point beyond the rail's end, the cart runs into it.
        actions.append(task.expert(readings.privileged - [1.3, 0, 0, 0, 0, 0])[0])
        readings = plants.step(actions[-1][None], np.ones(1, dtype=bool))
    plants.close()
    ours = run_plants("inverted-double-pendulum", 0, actions)
    assert_same_episode(ours, run_gymnasium("InvertedDoublePendulum-v5", 0, actions), 1e-12)
    assert max(abs(row[0][8]) for row in ours) > 0


def test_cartpole_has_gymnasiums_period_and_length():
    task, env = make_task("cartpole", "full"), gymnasium.make("CartPole-v1")
    assert task.max_steps == env.spec.max_episode_steps
    assert task.reward_threshold == env.spec.reward_threshold
    assert task.period_s == env.unwrapped.tau
    env.close()


@pytest.mark.parametrize("seed", SEEDS)
def test_mountain_car_is_gymnasiums_up_to_the_goal(seed):
    task = make_task("mountain-car-continuous", "full")
    env = gymnasium.make("MountainCarContinuous-v0", disable_env_checker=True).unwrapped
    state, actions, terminated = env.reset(seed=seed)[0], [], False
    while not terminated:
        actions.append(task.expert(np.asarray(state, dtype=float)[None])[0])
        state, _, terminated, _, _ = env.step(actions[-1])
    ours = run_plants(task.name, seed, actions)
    assert_same_episode(ours, run_gymnasium("MountainCarContinuous-v0", seed, actions), 1e-7)
    assert ours[-1][2]
