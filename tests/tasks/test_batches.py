"""Rows of a batch are independent, and ended rows stand still."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ltc_edge.tasks import make_task, task_names
from ltc_edge.tasks.mujoco_plants import MOST_THREADS, ROWS_A_THREAD, without_profiler

FIELDS = ("observation", "privileged", "dt_s", "reward", "terminated")


def rollout(task, plants, seeds, steps):
    readings = plants.reset(seeds)
    history, active = [readings], np.ones(len(seeds), dtype=bool)
    for _ in range(steps):
        readings = plants.step(task.expert(readings.privileged), active)
        history.append(readings)
        active &= ~readings.terminated
    return history


@pytest.mark.parametrize("name", task_names())
def test_a_seed_gives_the_same_episode_whatever_the_batch(name):
    task = make_task(name, "full")
    plants = task.make_plants()

    @settings(max_examples=8, deadline=None)
    @given(st.lists(st.integers(0, 2**31), min_size=2, max_size=9), st.data())
    def check(seeds, data):
        row = data.draw(st.integers(0, len(seeds) - 1))
        batch = rollout(task, plants, seeds, 20)
        alone = rollout(task, plants, [seeds[row]], 20)
        for together, single in zip(batch, alone, strict=True):
            for field in FIELDS:
                np.testing.assert_array_equal(getattr(together, field)[row], getattr(single, field)[0], field)

    check()
    plants.close()


@pytest.mark.parametrize("name", ["inverted-double-pendulum", "inverted-pendulum"])
def test_threads_change_no_bit(name):
    task = make_task(name, "full")
    plants = task.make_plants()
    seeds = range(MOST_THREADS * ROWS_A_THREAD)
    together = rollout(task, plants, seeds, 30)[-1]
    for row in (0, ROWS_A_THREAD, seeds[-1]):
        alone = rollout(task, plants, [row], 30)[-1]
        np.testing.assert_array_equal(together.privileged[row], alone.privileged[0])
        assert together.reward[row] == alone.reward[0]
    plants.close()


def test_mujocos_profiler_is_off_for_a_while_only():
    import mujoco

    model = mujoco.MjModel.from_xml_string("<mujoco/>")
    timed, untimed = mujoco.MjData(model), mujoco.MjData(model)
    with without_profiler():
        mujoco.mj_step(model, untimed)
    mujoco.mj_step(model, timed)
    step = mujoco.mjtTimer.mjTIMER_STEP
    assert timed.timer[step].duration > 0
    assert untimed.timer[step].duration == 0


@pytest.mark.parametrize("name", task_names())
def test_inactive_rows_are_not_stepped(name):
    task = make_task(name, "full")
    plants = task.make_plants()
    before = plants.reset([1, 2, 3])
    active = np.array([True, False, True])
    after = plants.step(np.full((3, 1), 0.7), active)
    np.testing.assert_array_equal(after.privileged[1], before.privileged[1])
    np.testing.assert_array_equal(after.observation[1], before.observation[1])
    assert after.reward[1] == 0
    assert (after.privileged[active] != before.privileged[active]).any(axis=1).all()
    resumed = plants.step(np.full((3, 1), 0.7), ~active)
    alone = task.make_plants()
    alone.reset([2])
    expected = alone.step(np.full((1, 1), 0.7), np.ones(1, dtype=bool))
    np.testing.assert_array_equal(resumed.privileged[1], expected.privileged[0])
    assert resumed.reward[1] == expected.reward[0]
    plants.close()
    alone.close()


@pytest.mark.parametrize("name", task_names())
def test_no_row_active_steps_nothing(name):
    plants = make_task(name).make_plants()
    before = plants.reset([4, 5])
    after = plants.step(np.zeros((2, 1)), np.zeros(2, dtype=bool))
    np.testing.assert_array_equal(after.privileged, before.privileged)
    np.testing.assert_array_equal(after.reward, [0, 0])
    plants.close()


@pytest.mark.parametrize("name", task_names())
def test_readings_are_copies(name):
    plants = make_task(name, "full").make_plants()
    first = plants.reset([4, 5])
    observation, privileged = first.observation.copy(), first.privileged.copy()
    plants.step(np.full((2, 1), 0.5), np.ones(2, dtype=bool))
    np.testing.assert_array_equal(first.observation, observation)
    np.testing.assert_array_equal(first.privileged, privileged)
    plants.close()
