"""Scores on plants and from starts that training never had, on a plant of which everything is known."""

from __future__ import annotations

import numpy as np
import pytest

from ltc_edge.errors import InputError
from ltc_edge.evaluation.out_of_distribution import LEVELS, SHIFTS, Shift, ShiftedTask, out_of_distribution
from ltc_edge.evaluation.rollout import ZeroPolicy
from ltc_edge.evaluation.side_by_side import SideBySide
from ltc_edge.signals import ActionSignal, ObservationSignal
from ltc_edge.tasks import Readings

SEEDS = range(6)


class Walls:
    """``x`` moves by ``gain`` times the action; an episode ends beyond ±5, its reward is ``−x²``."""

    def __init__(self, gain=1.0, spread=1.0):
        self.gain, self.spread = gain, spread

    def reset(self, seeds):
        draws = [np.random.default_rng(seed).uniform(0.5, 1.5) for seed in seeds]
        self.x = self.spread * np.array(draws)
        self.ended = np.zeros(len(seeds), dtype=bool)
        return self.readings(np.zeros(len(seeds)))

    def step(self, action, active):
        self.x = np.where(active, self.x + self.gain * action[:, 0], self.x)
        self.ended = self.ended | (np.abs(self.x) > 5.0)
        return self.readings(np.where(active, -(self.x**2) - 40.0 * self.ended, 0.0))

    def readings(self, reward):
        x = self.x[:, None].copy()
        return Readings(x, x, np.full(len(x), 0.1), reward, self.ended.copy())

    def close(self):
        pass


class WalledTask:
    name, summary = "walls", "Go to zero"
    observations = (ObservationSignal("x"),)
    actions = (ActionSignal("move", "", -4.0, 4.0),)
    period_s, dt_range_s, max_steps, reward_threshold = 0.1, (0.1, 0.1), 12, None

    def make_plants(self):
        return Walls()

    def expert(self, privileged):
        return np.clip(-0.6 * privileged, -4.0, 4.0)


class ShiftableTask(WalledTask):
    plant_parameters = ("gain",)

    def make_plants_off(self, factors):
        return Walls(gain=factors.get("gain", 1.0))

    def make_plants_spread(self, spread):
        return Walls(spread=spread)


class Proportional:
    """The expert's law with another gain; remembers how many episodes it had."""

    def __init__(self, gain):
        self.gain = gain

    def reset(self, size):
        self.size = size

    def step(self, observation, dt_s):
        assert len(observation) == self.size == len(dt_s)
        return np.clip(-self.gain * observation, -4.0, 4.0)


def test_the_expert_scores_one_and_the_zero_controller_nothing():
    task = ShiftableTask()
    expert, zero, weak = out_of_distribution(
        task, [Proportional(0.6), ZeroPolicy(task), Proportional(0.1)], SEEDS
    )
    assert [one.shift for one in expert.shifts] == list(SHIFTS)
    assert expert.score == pytest.approx(1.0)
    assert zero.score == pytest.approx(0.0)
    assert 0.1 < weak.score < 0.9
    assert weak.nominal.normalised == pytest.approx(weak.score, abs=0.3)


def test_levels_at_which_the_expert_fails_say_nothing_of_others():
    # Starts of 2 to 6 lie beyond the wall in half of the cases or more: the expert ends at once.
    class Far(ShiftableTask):
        def make_plants_spread(self, spread):
            return Walls(spread=20.0 if spread > 2.0 else spread)

    (found,) = out_of_distribution(Far(), [Proportional(0.3)], SEEDS)
    heights = {one.shift.level: one.height for one in found.shifts if one.shift.axis == "initial-states"}
    assert [level for level, height in heights.items() if height is None] == [3.0, 4.0]
    said = [height for height in heights.values() if height is not None]
    assert found.axis("initial-states") == pytest.approx(np.mean(said))


def test_shifts_do_what_they_say():
    starts = ShiftedTask(ShiftableTask(), Shift("initial-states", 3.0)).make_plants()
    np.testing.assert_allclose(starts.reset(SEEDS).observation, 3.0 * Walls().reset(SEEDS).observation)
    plants = ShiftedTask(ShiftableTask(), Shift("plant-parameters", 2.0)).make_plants()
    before = plants.reset(range(40)).observation
    moved = plants.step(np.ones((40, 1)), np.ones(40, dtype=bool)).observation - before
    assert set(np.round(moved[:, 0], 12)) == {0.5, 2.0}


def test_a_task_is_judged_by_the_axes_that_it_has():
    class Starts(WalledTask):
        def make_plants_spread(self, spread):
            return Walls(spread=spread)

    (found,) = out_of_distribution(Starts(), [Proportional(0.3)], SEEDS)
    assert len(found.shifts) == len(LEVELS["initial-states"])
    assert found.axis("plant-parameters") is None
    assert found.score == found.axis("initial-states")
    with pytest.raises(InputError, match="walls has no plant-parameters to shift"):
        out_of_distribution(WalledTask(), [Proportional(0.3)], SEEDS)


def test_policies_side_by_side_do_what_each_does_alone():
    policies = [Proportional(0.3), Proportional(0.9)]
    together = SideBySide(policies)
    observation = np.linspace(-1.0, 1.0, 8)[:, None]
    together.reset(8)
    found = together.apart(together.step(observation, np.full(8, 0.1)))
    assert together.seeds_for([3, 4]) == [3, 4, 3, 4]
    for row, policy in enumerate(policies):
        policy.reset(4)
        own = observation[4 * row : 4 * row + 4]
        np.testing.assert_array_equal(found[row], policy.step(own, np.full(4, 0.1)))
