"""A controller through the pack, and through faults."""

from __future__ import annotations

import numpy as np
import pytest

from ltc_edge.errors import TaskError
from ltc_edge.evaluation.closed_loop import evaluate_closed_loop
from ltc_edge.evaluation.corruption import faults
from ltc_edge.evaluation.corruption.campaign import Campaign
from ltc_edge.evaluation.corruption.faults import FAULTS, fault_reports
from ltc_edge.evaluation.corruption.scales import channel_scales
from ltc_edge.evaluation.rollout import StepperPolicy
from ltc_edge.runtimes.reference import ReferenceBatch, ReferenceStepper
from ltc_edge.tasks import load_task


@pytest.fixture
def lag(tiny_folder, monkeypatch):
    monkeypatch.chdir(tiny_folder)
    return load_task("tiny_task:Lag")


def test_curves_start_at_what_evaluate_measures_and_go_down(lag, tiny_controller):
    controller, told = tiny_controller(), []
    seeds = range(10, 16)
    policy = StepperPolicy(ReferenceStepper(controller))
    campaign = Campaign(lag, policy, seeds, reference=ReferenceBatch(controller))
    plain = evaluate_closed_loop(lag, controller, episodes=6, seed=10)
    assert campaign.nominal.returns == plain.controller
    assert campaign.yardstick.expert.mean() == plain.expert.mean
    assert campaign.yardstick.zero.mean() == plain.zero.mean
    curve = campaign.curve("noise", told.append)
    heights = [each.returns.mean for each in (campaign.nominal, *curve.scores)]
    assert heights[0] > heights[3] > heights[5]
    assert curve.relative_area is not None
    assert (curve.relative_area.value, *curve.relative_area.ci95) == pytest.approx((1.0, 1.0, 1.0))
    assert told == sorted(told)
    assert told[-1] == pytest.approx(1.0)


def test_scales_depend_on_the_task_alone_and_see_it_move(ramp_task):
    task = ramp_task(12)
    k = np.arange(12)
    expected = np.std(k[None] + 1e-3 * np.arange(500_000, 500_032)[:, None])
    scales = channel_scales(task)
    assert scales[0] == pytest.approx(expected)
    assert scales[2] == pytest.approx(np.std(1e-3 * np.arange(32)))
    told = np.concatenate(task.plants.told)
    assert told.mean() == pytest.approx(0.5, abs=0.02)
    assert told.std() == pytest.approx(0.1, rel=0.1)


def test_steppers_refuse_what_is_not_finite_and_go_on(lag, tiny_controller):
    controller = tiny_controller()
    reports = fault_reports(lag, controller, ReferenceStepper(controller), seed=0)
    assert [report.fault for report in reports] == list(FAULTS)
    for report in reports:
        assert report.holds
        assert report.steps == 3 * 5  # two channels and both at once
        assert report.answered == (report.steps if report.fault.refused else None)
        assert report.state_kept == (report.steps if report.fault.refused else 0)
    assert "observation channel 0 is nan" in (reports[0].message or "")


def test_a_fault_that_no_episode_lives_to_see_is_not_said_to_be_answered(lag, tiny_controller, monkeypatch):
    monkeypatch.setattr(faults, "STEPS", faults.FIRST + 1)
    controller = tiny_controller()
    with pytest.raises(TaskError, match="every episode ends within 8 steps"):
        fault_reports(lag, controller, ReferenceStepper(controller), seed=0)


def test_a_runtime_that_lets_a_nan_in_breaks_its_promise(lag, tiny_controller):
    class Careless(ReferenceStepper):
        def step(self, observation, dt):
            return self._batch.step(np.asarray(observation)[None], np.array([dt]))[0]

    controller = tiny_controller()
    with np.errstate(invalid="ignore"):
        broken = {
            report.fault.name: report for report in fault_reports(lag, controller, Careless(controller), 0)
        }
    assert not broken["nan"].holds
    assert not broken["nan"].actions_sound
    assert broken["nan"].answered == 0
    assert not broken["+inf"].holds
    assert broken["stale"].holds
