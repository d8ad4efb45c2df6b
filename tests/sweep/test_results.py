"""Told trials as results: which run is shipped, and what proxies leave on a front."""

from __future__ import annotations

import pytest

pytest.importorskip("optuna")
from toy_sweep import plan

from ltc_edge.sweep.results import result_of
from ltc_edge.sweep.study import Asked
from ltc_edge.sweep.told import judge
from ltc_edge.sweep.work import Outcome

MEASURE = plan("instructions<900").measure
ASKED = Asked(7, {"units": 4}, {})


def outcome(seed, validated, value, state="complete", instructions=800.0):
    figures = {"return": value, "instructions": instructions, "error": 0.1}
    return Outcome(7, seed, state, figures, ((0, validated),), "so it is", {"train": 2.0, "measure": 0.5})


def test_the_seed_that_validated_best_is_shipped_not_the_one_that_measured_best():
    result = result_of(ASKED, judge([outcome(0, 5.0, 1.0), outcome(1, 4.0, 3.0)], MEASURE), MEASURE)
    assert (result.best_seed, result.run_folder) == (0, "trials/0007/seed-0")
    assert result.figures["return"].mean == 2.0
    assert result.figures["return"].n == 2
    assert (result.seeds, result.seconds, result.feasible) == ((0, 1), 5.0, True)


def test_what_is_over_budget_is_named():
    result = result_of(ASKED, judge([outcome(0, 5.0, 1.0, instructions=1800.0)], MEASURE), MEASURE)
    assert not result.feasible
    assert [(str(each.limit), each.excess) for each in result.broken] == [("instructions<900", 1.0)]


def test_of_a_trial_given_up_nothing_is_shipped():
    result = result_of(ASKED, judge([outcome(0, 5.0, 1.0, "pruned")], MEASURE), MEASURE)
    assert (result.state, result.reason, result.run_folder) == ("pruned", "so it is", None)
    assert result.figures["instructions"].mean == 800.0
    assert result.broken == ()
