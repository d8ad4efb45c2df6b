"""The loop of a small plant and the tiny controller, against its Jacobian by finite differences."""

import dataclasses

import numpy as np
import pytest

from ltc_edge.evaluation.margins.loop import loop_margins
from ltc_edge.evaluation.margins.servo import SmoothServos
from ltc_edge.runtimes.reference import ReferenceBatch
from ltc_edge.tasks import make_task


@pytest.fixture(scope="module")
def lag(tiny_folder):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tiny_folder)
        patch.syspath_prepend(str(tiny_folder))
        task = make_task("tiny_task:Lag", "positions")
    task.max_steps = 600
    return task


@pytest.fixture(scope="module")
def rest(lag, tiny_controller):
    found = loop_margins(lag, tiny_controller(), range(3))
    assert not isinstance(found, str), found
    return found


def spectral_radius(controller, rest, gain=1.0):
    """Of the loop's Jacobian by finite differences, the controller's part of the action times ``gain``."""
    target, level = rest.observation
    batch = ReferenceBatch(controller)

    def step(x):
        """Level, then the cell's state, one period later; a row a loop."""
        batch.state = x[:, 1:]
        seen = np.column_stack([np.full(len(x), target), x[:, 0]])
        action = rest.action + gain * (batch.step(seen, np.full(len(x), 0.02)) - rest.action)
        return np.column_stack([x[:, 0] + 0.1 * (action[:, 0] - x[:, 0]), batch.state])

    x = np.concatenate([[level], np.zeros(8)])
    for _ in range(400):
        x = np.concatenate([[level], step(x[None])[0, 1:]])
    nudges = 1e-6 * np.eye(9)
    jacobian = (step(x + nudges) - step(x - nudges)).T / 2e-6
    return np.abs(np.linalg.eigvals(jacobian)).max()


def test_the_slowest_mode_is_that_of_the_loop_s_jacobian(rest, tiny_controller):
    assert rest.spectral_radius == pytest.approx(spectral_radius(tiny_controller(), rest), abs=1e-4)
    assert rest.left_out is None
    assert rest.period_s == 0.02


def test_gains_within_the_margin_are_stable_and_gains_beyond_are_not(rest, tiny_controller):
    controller, gain = tiny_controller(), rest.actuators[0].gain_up
    assert gain > 1.0
    assert (
        spectral_radius(controller, rest, 0.99 * gain) < 1.0 < spectral_radius(controller, rest, 1.01 * gain)
    )


class Ended:
    """Plants of ``Lag`` that a wrapper changes."""

    def __init__(self, plants, change):
        self.plants, self.change, self.steps = plants, change, 0

    def reset(self, seeds):
        self.steps = 0
        return self.change(self.plants.reset(seeds), 0)

    def step(self, action, active):
        self.steps += 1
        return self.change(self.plants.step(action, active), self.steps)

    def close(self):
        self.plants.close()


def changed(lag, change):
    class Changed(type(lag)):
        def make_plants(self):
            return Ended(super().make_plants(), change)

    task = Changed()
    task.max_steps = 600
    return task


def quantised(readings, _):
    return dataclasses.replace(readings, observation=np.round(readings.observation, 4))


def ended(readings, step):
    return dataclasses.replace(readings, terminated=np.full(len(readings.reward), step == 100))


def restless(readings, step):
    moved = readings.observation + 0.2 * np.sin(0.5 * step)
    return dataclasses.replace(readings, observation=moved)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (quantised, "not proportional|changes nothing"),
        (ended, "ends by itself"),
        (restless, "does not come to rest"),
    ],
)
def test_loops_that_have_no_margins_say_why(lag, tiny_controller, change, words):
    found = loop_margins(changed(lag, change), tiny_controller(), range(3))
    assert isinstance(found, str)
    assert any(word in found for word in words.split("|")), found


def test_irregular_periods_have_none(lag, tiny_controller):
    class Irregular(type(lag)):
        dt_range_s = (0.01, 0.02)

    assert "irregular" in loop_margins(Irregular(), tiny_controller(), range(2))


def test_smooth_servos_turn_as_the_task_s_do():
    task = make_task("dc-motor", "full")
    plants = SmoothServos([signal.name for signal in task.observations])
    start = plants.reset([4])
    assert start.observation[0, 0] == 0.0
    assert start.observation[0, 1] != 0.0
    after = plants.step(np.full((1, 1), 5.0), np.ones(1, dtype=bool))
    assert after.observation[0, 1] > start.observation[0, 1]
    assert after.observation[0, 2] > 0
