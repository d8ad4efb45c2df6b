"""What a sampler is told of a trial, and what decides one."""

from __future__ import annotations

import math

import pytest
from toy_sweep import plan

from ltc_edge.sweep.told import FAR, deciding, judge
from ltc_edge.sweep.work import Outcome

MEASURE = plan("instructions<900,flash<100").measure


def outcome(seed, state="complete", **figures):
    named = {"return": 1.0, "instructions": 800.0, "error": 0.1, "flash": 90.0} | figures
    return Outcome(0, seed, state, named if state == "complete" else figures, reason=f"it {state}")


def test_a_trial_ends_with_its_first_seed_that_is_not_complete():
    first, second, third = outcome(0), outcome(1, "failed"), outcome(2)
    assert deciding({}, 3) is None
    assert deciding({1: second, 2: third}, 3) is None
    assert deciding({0: first}, 3) is None
    assert deciding({0: first, 1: second}, 3) == (first, second)
    assert deciding({0: first, 1: second, 2: third}, 3) == (first, second)
    assert deciding({0: first, 1: third}, 2) == (first, third)


def test_the_mean_over_the_seeds_is_told():
    told = judge(
        [outcome(0, **{"return": 1.0}), outcome(1, **{"return": 3.0, "instructions": 1200.0})], MEASURE
    )
    assert told.state == "complete"
    assert told.values == (2.0, 1000.0, 0.1)
    assert told.violations["instructions<900"] == pytest.approx(100 / 900)
    assert told.violations["flash<100"] < 0


def test_of_a_trial_given_up_what_is_known_is_told():
    told = judge([outcome(0, "pruned", instructions=1800.0)], MEASURE)
    assert (told.state, told.reason, told.values) == ("pruned", "it pruned", ())
    assert told.violations == {"instructions<900": 1.0}


def test_a_later_seed_is_named():
    assert judge([outcome(0), outcome(1, "failed")], MEASURE).reason == "seed 1: it failed"


def test_a_complete_trial_without_an_objective_has_failed():
    for lacking in (math.inf, math.nan):
        told = judge([outcome(0, error=lacking)], MEASURE)
        assert (told.state, told.reason) == ("failed", "error could not be measured")


def test_a_budget_of_something_unmeasured_is_broken_finitely():
    bare = Outcome(0, 0, "complete", {"return": 1.0, "instructions": 1.0, "error": 0.0})
    assert judge([bare], MEASURE).violations["flash<100"] == FAR
