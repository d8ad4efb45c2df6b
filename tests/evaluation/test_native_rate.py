"""Loops at other rates, on plants of which everything is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ltc_edge.controller import Timing
from ltc_edge.errors import InputError
from ltc_edge.evaluation.native_rate import BothWays, evaluate_rates
from ltc_edge.evaluation.native_rate_task import FINEST, Grid, SampledTask, grid_of
from ltc_edge.evaluation.rollout import open_plants, rollout
from ltc_edge.signals import ActionSignal, ObservationSignal
from ltc_edge.tasks import Readings

PERIOD_S, STEPS = 0.1, 40
TIMING = Timing(PERIOD_S, 0.025, 0.4, PERIOD_S)


class Clocks:
    """Plants that keep the time, which nobody is shown, and charge for an action that is not the time."""

    def __init__(self, period_s, ends_at_s=math.inf):
        self.period_s, self.ends_at_s = period_s, ends_at_s

    def reset(self, seeds):
        self.time_s = np.zeros(len(seeds))
        return self._readings(np.zeros(len(seeds)), self.period_s)

    def step(self, action, active):
        cost = np.abs(action[:, 0] - self.time_s) * self.period_s / PERIOD_S
        self.time_s = self.time_s + self.period_s * active
        return self._readings(np.where(active, -cost, 0.0), self.period_s)

    def close(self):
        pass

    def _readings(self, reward, dt_s):
        rows = len(reward)
        return Readings(
            np.zeros((rows, 1)),
            self.time_s[:, None],
            np.full(rows, dt_s),
            reward,
            self.time_s > self.ends_at_s,
        )


class NativeClockTask:
    name = "clock"
    summary = "Tell the time"
    observations = (ObservationSignal("nothing"),)
    actions = (ActionSignal("time", "s", -100.0, 100.0),)
    period_s = PERIOD_S
    dt_range_s = (PERIOD_S, PERIOD_S)
    max_steps = STEPS
    reward_threshold = None
    ends_at_s = math.inf

    def make_plants(self):
        return Clocks(PERIOD_S, self.ends_at_s)

    def expert(self, privileged):
        return privileged


class ClockTask(NativeClockTask):
    def make_plants_every(self, period_s):
        return Clocks(period_s, self.ends_at_s)


class Watch:
    """A policy that adds up what it is told; the first dt is what passed before the first reading."""

    def reset(self, _):
        self.time_s = None

    def step(self, _, dt_s):
        self.time_s = np.zeros(len(dt_s)) if self.time_s is None else self.time_s + dt_s
        return self.time_s[:, None]


def held_watch(step_s, told_s, physics_s):
    """Return of a watch that is read every ``step_s``, of which it counts ``told_s``; from scratch."""
    lasted = round(STEPS * PERIOD_S / physics_s)
    each = round(step_s / physics_s)
    return -sum(abs(i // each * told_s - i * physics_s) for i in range(lasted)) * physics_s / PERIOD_S


def test_what_is_lost_is_what_holding_and_a_wrong_clock_cost():
    rates = (2.5, 5.0, 10.0, 20.0, 40.0)
    report = evaluate_rates(ClockTask(), Watch(), TIMING, rates, range(3))
    physics_s = PERIOD_S / FINEST
    native = held_watch(PERIOD_S, PERIOD_S, physics_s)
    assert report.native.returns.mean == pytest.approx(native)
    assert report.as_trained.returns.mean == pytest.approx(0.0, abs=1e-9)
    for rate_hz, result in zip(rates, report.rates, strict=True):
        step_s = 1.0 / rate_hz
        # 25 ms are no whole number of 10 ms: three steps of the physics.
        own = step_s / math.ceil(step_s / physics_s - 1e-9)
        assert result.plan.every == 1
        told, ignored = held_watch(step_s, step_s, own), held_watch(step_s, PERIOD_S, own)
        assert result.told.score.returns.mean == pytest.approx(told)
        assert result.ignored.score.returns.mean == pytest.approx(ignored)
        assert result.told.lost.mean == pytest.approx(native - told, abs=1e-9)
        assert result.told.lost_percent.mean == pytest.approx(100 * (native - told) / -native, abs=1e-6)
        assert result.gained.mean == pytest.approx(told - ignored, abs=1e-9)
        assert result.gained.mean > 0 or rate_hz == 10.0


def test_a_loop_that_is_too_fast_steps_natively_and_one_too_slow_is_refused():
    report = evaluate_rates(ClockTask(), Watch(), TIMING, (1.0, 1000.0), [5])
    slow, fast = report.rates
    assert (slow.plan, slow.told) == (None, None)
    assert "25 to 400 ms" in slow.refusal
    assert fast.plan.every == 100
    np.testing.assert_array_equal(fast.told.score.each, report.native.each)
    np.testing.assert_array_equal(fast.ignored.score.each, report.native.each)
    with pytest.raises(InputError, match=r"at 2\.5 Hz or more"):
        evaluate_rates(ClockTask(), Watch(), TIMING, (1.0,), [5])


def test_a_task_that_only_has_its_own_steps_is_read_after_several_and_never_sooner():
    report = evaluate_rates(NativeClockTask(), Watch(), TIMING, (5.0, 20.0), [1])
    half, twice = report.rates
    assert half.told.score.returns.mean == pytest.approx(held_watch(0.2, 0.2, PERIOD_S))
    assert half.ignored.score.returns.mean == pytest.approx(held_watch(0.2, 0.1, PERIOD_S))
    assert "make_plants_every" in twice.refusal
    assert report.native.returns.mean == report.as_trained.returns.mean == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("sample_s", [0.025, 0.07, 0.1, 0.13, 0.35])
def test_an_episode_lasts_as_long_at_every_rate(sample_s):
    task = ClockTask()
    grid = grid_of(task, sample_s, PERIOD_S / FINEST)
    assert grid.step_s <= PERIOD_S / FINEST * (1 + 1e-9)
    assert grid.step_s * grid.each == pytest.approx(sample_s)
    sampled = SampledTask(task, grid)
    with open_plants(sampled) as plants:
        played = rollout(sampled, plants, Watch(), [0, 1])
    assert played.length.tolist() == [sampled.max_steps] * 2
    np.testing.assert_array_equal(played.dt_s[:, 0], PERIOD_S)
    np.testing.assert_allclose(played.dt_s[:, 1:], sample_s)
    assert sampled.max_steps * sample_s >= STEPS * PERIOD_S - grid.step_s
    # The last reading may come early, never late.
    assert sampled.plants._plants.time_s == pytest.approx(STEPS * PERIOD_S, abs=grid.step_s / 2)
    assert not sampled.plants.ended_early.any()


def test_readings_between_native_steps_come_at_the_last_of_them():
    grid = grid_of(NativeClockTask(), 0.25, 1.0)
    assert grid == Grid(PERIOD_S, 2.5, False)
    sampled = SampledTask(NativeClockTask(), grid)
    with open_plants(sampled) as plants:
        played = rollout(sampled, plants, Watch(), [0])
    np.testing.assert_allclose(played.dt_s[0, 1:5], [0.2, 0.3, 0.2, 0.3])


def test_where_the_expert_ends_its_episodes_too_an_end_is_success():
    class Fragile(ClockTask):
        ends_at_s = 0.5 * STEPS * PERIOD_S

    report = evaluate_rates(Fragile(), Watch(), TIMING, (5.0,), [0, 1])
    assert report.yardstick.ends_well
    assert report.rates[0].told.score.failures == 0


def test_the_second_half_of_the_episodes_is_told_the_native_period():
    told = []

    class Listener(Watch):
        def step(self, observation, dt_s):
            told.append(dt_s.copy())
            return super().step(observation, dt_s)

    policy, passed = BothWays(Listener(), 0.1), np.array([0.3, 0.01, 0.3, 0.01])
    policy.reset(4)
    policy.step(np.zeros((4, 1)), passed)
    np.testing.assert_array_equal(told, [[0.3, 0.01, 0.1, 0.1]])
    np.testing.assert_array_equal(passed, [0.3, 0.01, 0.3, 0.01])  # the plants' own


def test_the_share_of_the_work_rises_to_all_of_it():
    shares = []
    evaluate_rates(ClockTask(), Watch(), TIMING, (5.0, 10.0, 1000.0, 1.0), [0], on_share=shares.append)
    assert shares == sorted(shares)
    assert shares[-1] <= 1.0
