"""Episodes that start further out than those of training."""

from __future__ import annotations

import numpy as np
import pytest

from ltc_edge.tasks import HasInitialSpread, make_task, task_names

pytest.importorskip("gymnasium", reason="gymnasium is not installed (extra: train)")

SEEDS = range(40)
MIDDLE = {"mountain-car-continuous": [-0.5, 0.0]}


def starts(plants):
    try:
        return plants.reset(SEEDS).privileged
    finally:
        plants.close()


@pytest.mark.parametrize("name", task_names())
def test_starts_are_so_many_times_as_far_from_their_middle(name):
    task = make_task(name, "full")
    assert isinstance(task, HasInitialSpread)
    trained = starts(task.make_plants())
    np.testing.assert_array_equal(starts(task.make_plants_spread(1.0)), trained)
    middle = np.array(MIDDLE.get(name, 0.0))
    wide = starts(task.make_plants_spread(2.5))
    np.testing.assert_allclose(wide - middle, 2.5 * (trained - middle), rtol=1e-12, atol=1e-12)
    assert np.ptp(wide, axis=0).max() > 0.01


def test_a_motor_follows_wider_references_at_the_same_times():
    task = make_task("dc-motor")

    def references(plants):
        first = plants.reset([7]).observation[0, 0]
        going = np.ones(1, dtype=bool)
        return np.array(
            [first, *(plants.step(np.zeros((1, 1)), going).observation[0, 0] for _ in range(200))]
        )

    trained, wide = references(task.make_plants()), references(task.make_plants_spread(2.0))
    assert len(np.unique(trained)) >= 2
    np.testing.assert_allclose(wide, 2.0 * trained, rtol=1e-15)
