"""Plants that are simulated in other steps than their native period."""

from __future__ import annotations

import numpy as np
import pytest

from ltc_edge.tasks import HasOtherPeriods, make_task, task_names

pytest.importorskip("gymnasium", reason="gymnasium is not installed (extra: train)")

SEEDS = (3, 4)
REGULAR = [name for name in task_names() if name != "dc-motor"]


def played(plants, steps, action=0.01):
    """True states after each step, and the returns."""
    going, states, earned = np.ones(len(SEEDS), dtype=bool), [], np.zeros(len(SEEDS))
    try:
        plants.reset(SEEDS)
        for _ in range(steps):
            readings = plants.step(np.full((len(SEEDS), 1), action), going)
            states.append(readings.privileged)
            earned = earned + readings.reward
    finally:
        plants.close()
    return np.stack(states), earned, readings.dt_s


@pytest.mark.parametrize("name", REGULAR)
def test_the_native_period_gives_the_native_plants(name):
    task = make_task(name, "full")
    assert isinstance(task, HasOtherPeriods)
    for ours, theirs in zip(
        played(task.make_plants_every(task.period_s), 8), played(task.make_plants(), 8), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("name", task_names())
def test_finer_steps_come_nearer_to_one_motion_and_earn_shares(name):
    task = make_task(name, "full")
    native_steps = 4

    def end(parts):
        states, earned, dt_s = played(
            task.make_plants_every(task.period_s / parts), native_steps * parts, action=0.1
        )
        np.testing.assert_allclose(dt_s, task.period_s / parts, rtol=1e-12)
        return states[-1], earned

    coarse, fine, finest = end(4), end(16), end(64)
    for ours, nearer, nearest in zip(coarse, fine, finest, strict=True):
        scale = np.abs(nearest).max()
        far, near = np.abs(ours - nearest).max(), np.abs(nearer - nearest).max()
        # Of first order at least; the motor's own sub-steps leave its steps coarser than a quarter.
        assert near <= 0.5 * far + 1e-6 * scale
        assert far <= 0.1 * scale


def test_a_motor_keeps_its_references_whatever_the_steps():
    task = make_task("dc-motor")
    motions = []
    for parts in (1, 4):
        plants = task.make_plants_every(task.period_s / parts)
        readings, going = plants.reset(SEEDS), np.ones(len(SEEDS), dtype=bool)
        seen = [readings.observation[:, 0]]
        for step in range(150 * parts):
            readings = plants.step(np.zeros((len(SEEDS), 1)), going)
            if (step + 1) % parts == 0:
                seen.append(readings.observation[:, 0])
        motions.append(np.stack(seen))
    assert len(np.unique(motions[0][:, 0])) >= 3
    # A change that falls on the end of a step may be seen a step apart, by rounding.
    assert (motions[0] != motions[1]).mean() <= 0.01
