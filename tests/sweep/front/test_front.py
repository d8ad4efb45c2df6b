"""The front against the definition, pair by pair; figures over seeds; which places may be chance."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from ltc_edge.errors import InputError
from ltc_edge.sweep.budget import read_budget
from ltc_edge.sweep.doubts import doubts
from ltc_edge.sweep.front import Figure, broken_limits, figure_over_seeds, pareto_front, ranked
from ltc_edge.sweep.objectives import read_objectives

GOALS = read_objectives("return,instructions,error")
# Few values, so that trials tie; −0.0 equals 0.0.
VALUES = st.sampled_from([-1.5, -0.0, 0.0, 1.0, 2.0, 1e9]) | st.floats(-10, 10)


@st.composite
def sweeps(draw, result_of):
    """Trials with every figure of `GOALS`; some over budget, some pruned."""
    rows = draw(st.lists(st.tuples(VALUES, VALUES, VALUES, st.sampled_from("cccco")), max_size=14))
    results = []
    for number, (*figures, kind) in enumerate(rows):
        named = dict(zip((goal.name for goal in GOALS), figures, strict=True))
        state = "pruned" if kind == "o" else "complete"
        results.append(result_of(number, named, state=state, budget="return>=-5"))
    return results


def dominates(one, other, goals):
    """By the definition."""
    pairs = [(one.figures[goal.name].mean, other.figures[goal.name].mean, goal) for goal in goals]
    no_worse = all(a >= b if goal.maximised else a <= b for a, b, goal in pairs)
    return no_worse and any(a != b for a, b, _ in pairs)


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_the_front_is_what_nothing_feasible_dominates(data, result_of):
    results = data.draw(sweeps(result_of))
    goals = data.draw(st.sampled_from([GOALS[:1], GOALS[:2], GOALS]))
    feasible = [result for result in results if result.feasible]
    by_definition = [
        result for result in feasible if not any(dominates(other, result, goals) for other in feasible)
    ]
    assert pareto_front(results, goals) == by_definition
    shuffled = data.draw(st.permutations(results))
    assert pareto_front(shuffled, goals) == by_definition


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_ranks_are_the_fronts_of_what_is_left(data, result_of):
    left = data.draw(sweeps(result_of))
    ranks = {result.number: rank for result, rank in ranked(left, GOALS)}
    assert set(ranks) == {result.number for result in left if result.feasible}
    for rank in range(len(left)):
        front = pareto_front(left, GOALS)
        assert [result.number for result in front] == sorted(n for n in ranks if ranks[n] == rank)
        left = [result for result in left if result not in front]


def test_equal_trials_are_all_on_the_front(result_of):
    figures = {"return": 1.0, "instructions": 5.0, "error": 0.1}
    results = [result_of(number, figures) for number in (4, 2, 9)]
    assert [result.number for result in pareto_front(results, GOALS)] == [2, 4, 9]


def test_what_is_better_turns_with_the_goal(result_of):
    # RMSE is minimised, accuracy and return are maximised.
    low, high = result_of(0, {"rmse": 1.0, "accuracy": 1.0}), result_of(1, {"rmse": 2.0, "accuracy": 2.0})
    assert pareto_front([low, high], read_objectives("rmse")) == [low]
    assert pareto_front([low, high], read_objectives("accuracy")) == [high]
    assert pareto_front([low, high], read_objectives("rmse,accuracy")) == [low, high]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_figure_that_is_no_number_is_refused(result_of, value):
    bad = result_of(3, {"return": Figure(value, None, None, 1), "instructions": 1.0, "error": 0.0})
    with pytest.raises(InputError, match="trial 3: return is"):
        pareto_front([bad], GOALS)
    with pytest.raises(InputError, match="finite"):
        figure_over_seeds([1.0, value])


def test_a_figure_that_is_missing_is_refused_unless_the_trial_ended_early(result_of):
    with pytest.raises(InputError, match="trial 0: error was not measured"):
        pareto_front([result_of(0, {"return": 1.0, "instructions": 2.0})], GOALS)
    assert pareto_front([result_of(0, {}, state="failed")], GOALS) == []
    assert pareto_front([], GOALS) == []


def test_the_interval_is_students():
    values = [3.0, 4.5, 4.0, 7.0]
    figure = figure_over_seeds(values)
    low, high = stats.t.interval(0.95, 3, np.mean(values), stats.sem(values))
    assert (figure.mean, figure.n) == (np.mean(values), 4)
    np.testing.assert_allclose([figure.low, figure.high], [low, high], rtol=1e-12)
    np.testing.assert_allclose(figure.standard_error, stats.sem(values), rtol=1e-12)
    assert figure_over_seeds([2.5]) == Figure(2.5, None, None, 1)
    assert figure_over_seeds([2.5]).standard_error is None


def test_a_budget_is_broken_by_the_mean_or_by_no_figure():
    budget = read_budget("flash<100,return>=5,p99_us<50")
    figures = {"flash": figure_over_seeds([90.0, 130.0]), "return": figure_over_seeds([5.0])}
    flash, p99 = broken_limits(budget, figures)
    assert (str(flash.limit), flash.value) == ("flash<100", 110.0)
    assert flash.excess == pytest.approx(0.1)
    assert (str(p99.limit), p99.value, p99.excess) == ("p99_us<50", None, math.inf)


def _pair(result_of, first, second):
    pairs = [dict(zip(("return", "instructions"), figures, strict=True)) for figures in (first, second)]
    return [result_of(number, figures) for number, figures in enumerate(pairs)]


def test_a_place_that_rests_on_a_difference_within_chance_is_doubted(result_of):
    goals = GOALS[:2]
    # Trial 0 returns more, but seeds differ by far more; that it takes more instructions is certain.
    close = _pair(result_of, ([9300.0, 9400.0, 9351.0], 900.0), ([9310.0, 9390.0, 9340.0], 500.0))
    (doubt,) = doubts(close, goals)
    assert (doubt.trial, doubt.rival, doubt.mutual) == (0, 1, False)
    # Here the return is told apart, too.
    apart = _pair(result_of, ([9350.0, 9351.0, 9352.0], 900.0), ([9300.0, 9301.0, 9299.0], 500.0))
    assert not doubts(apart, goals)
    # With a single seed a return is told apart from nothing; counts are.
    (single,) = doubts(_pair(result_of, (9400.0, 900.0), (100.0, 500.0)), goals)
    assert (single.trial, single.rival) == (0, 1)
    # Nothing can be told of these two.
    both = doubts(_pair(result_of, ([5.0, 9.0], [7.0, 8.0]), ([4.0, 9.0], [7.0, 7.5])), goals)
    assert [(doubt.trial, doubt.rival, doubt.mutual) for doubt in both] == [(0, 1, True), (1, 0, True)]


def test_two_means_are_told_apart_by_welchs_test(result_of):
    rng = np.random.default_rng(3)
    goal = GOALS[:1]
    agreed = []
    for _ in range(60):
        one, other = rng.normal(0, 1, 4), rng.normal(rng.uniform(0, 4), rng.uniform(0.1, 3), 3)
        results = [result_of(0, {"return": one.tolist()}), result_of(1, {"return": other.tolist()})]
        p = stats.ttest_ind(one, other, equal_var=False).pvalue
        # Of one goal, whoever is surely better is not doubted by the other.
        found = {(doubt.trial, doubt.rival) for doubt in doubts(results, goal)}
        winner = int(other.mean() > one.mean())
        assert ((winner, 1 - winner) not in found) == (p < 0.05)
        agreed.append(p < 0.05)
    assert 10 < sum(agreed) < 50


def test_results_are_values(swept):
    with pytest.raises(dataclasses.FrozenInstanceError):
        swept.results[0].number = 3
