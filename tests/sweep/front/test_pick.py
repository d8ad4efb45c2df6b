"""What is recommended: the rule, on trials with known figures and on drawn ones; what is said of it."""

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ltc_edge.sweep.budget import Budget, read_budget
from ltc_edge.sweep.front import pareto_front
from ltc_edge.sweep.objectives import read_objectives
from ltc_edge.sweep.pick import NEGLIGIBLE, pick, why_none
from ltc_edge.sweep.tally import tally

GOALS = read_objectives("return,instructions,error")
NONE = Budget()


def trials(result_of, *rows, **options):
    """Of rows of (return, instructions)."""
    return [
        result_of(number, {"return": value, "instructions": cost, "error": 0.01}, **options)
        for number, (value, cost) in enumerate(rows)
    ]


def chosen(results, budget=NONE):
    return pick(pareto_front(results, GOALS), GOALS, budget)


def test_the_cheapest_within_one_standard_error_of_the_best_is_picked(result_of):
    # The best's mean is 100 with a standard error of 3.46.
    results = trials(result_of, ([94.0, 100.0, 106.0], 900.0), ([97.0] * 3, 500.0), ([96.0] * 3, 100.0))
    found = chosen(results, NONE)
    assert (found.trial, found.seed, found.run_folder) == (1, 1, "trials/0001/seed-1")
    assert "500 instructions, 1.8 times less than trial 0, which has the best return" in found.reason
    assert "3 of the return (3 %) given away, within one standard error of it" in found.reason


def test_a_negligible_loss_is_no_reason_to_ship_a_dearer_one(result_of):
    kept, lost = 1000 * (1 - NEGLIGIBLE), 1000 * (1 - 2 * NEGLIGIBLE)
    results = trials(result_of, (1000.0, 900.0), (kept, 600.0), (lost, 300.0), seeds=(0,))
    found = chosen(results)
    assert found.trial == 1
    assert "5 of the return (0.5 %) given away, negligible" in found.reason
    assert "a single seed, so that any of it may be chance" in found.reason


def test_the_best_is_picked_where_what_is_cheaper_is_worse(result_of):
    found = chosen(trials(result_of, (50.0, 900.0), (100.0, 1200.0), (80.0, 1000.0)))
    assert found.trial == 1
    assert found.reason.startswith("the best return, 100; 1,200 instructions")
    assert "trial 2 would take 1.2 times less, and give away 20 of the return (20 %)" in found.reason


def test_a_limit_on_the_first_goal_says_what_is_enough(result_of):
    budget = read_budget("return>60")
    rows = (50.0, 100.0), ([64.0, 66.0, 68.0], 200.0), ([62.0, 66.0, 59.0], 150.0), (100.0, 900.0)
    found = chosen(trials(result_of, *rows, budget=str(budget)), budget)
    assert found.trial == 2
    assert "the least of all that keep return>60, 6 times less than trial 3" in found.reason
    assert "which the budget allows" in found.reason
    assert "its 95 % interval reaches 53.61, which would not keep return>60" in found.reason


def test_a_limit_the_other_way_says_nothing_of_enough(result_of):
    budget = read_budget("return<200")
    assert chosen(trials(result_of, (50.0, 100.0), (100.0, 900.0), budget=str(budget)), budget).trial == 1


def test_what_is_cheap_is_told_by_the_first_cost_that_all_have(result_of):
    rows = {"flash": 9.0, "parameters": 1.0}, {"flash": 5.0, "parameters": 2.0, "instructions": 1.0}
    front = [result_of(number, {"return": 7.0} | row) for number, row in enumerate(rows)]
    assert "5 bytes of flash" in pick(front, GOALS[:1], NONE).reason
    uncosted = [result_of(0, {"return": 7.0}), result_of(1, {"return": 6.99})]
    assert pick(uncosted, GOALS[:1], NONE).trial == 0


def test_a_minimised_first_goal_is_better_when_less(result_of):
    goals = read_objectives("rmse,parameters")
    rows = (0.10, 50.0), (0.2, 20.0), (0.1004, 30.0)
    front = [result_of(n, {"rmse": value, "parameters": cost}) for n, (value, cost) in enumerate(rows)]
    assert pick(front, goals, NONE).trial == 2
    assert pick(front, goals, read_budget("rmse<0.5")).trial == 1


@settings(max_examples=40, deadline=None)
@given(rows=st.lists(st.tuples(st.floats(-10, 10), st.integers(1, 9)), min_size=1, max_size=10))
def test_nothing_as_good_is_cheaper_and_nothing_as_cheap_is_better(rows, result_of):
    results = trials(result_of, *((value, float(cost)) for value, cost in rows))
    front = pareto_front(results, GOALS)
    found = pick(front, GOALS, NONE)
    mine = next(result for result in front if result.number == found.trial)
    best = max(value for value, _ in rows)
    loss = best - mine.figures["return"].mean
    assert loss <= NEGLIGIBLE * abs(best)
    for other in front:
        if best - other.figures["return"].mean <= loss:
            assert other.figures["instructions"].mean >= mine.figures["instructions"].mean
    assert pick(front[::-1], GOALS, NONE) == found


def test_nothing_is_picked_of_nothing_and_the_nearest_is_named(result_of):
    assert pick([], GOALS, NONE) is None
    budget = "instructions<100,return>=50"
    results = trials(result_of, (90.0, 200.0), (40.0, 110.0), (10.0, 120.0), budget=budget)
    assert chosen(results, read_budget(budget)) is None
    said = why_none(results)
    assert "trial 1 comes nearest: instructions 110, 10 % over instructions<100" in said
    assert "return 40, 20 % short of return>=50" in said
    far = why_none(trials(result_of, (9.0, 4000.0), budget="instructions<100"))
    assert "40 times what instructions<100 allows" in far
    touching = why_none(trials(result_of, (9.0, 100.0), budget="instructions<100"))
    assert "instructions 100, not instructions<100" in touching
    unmeasured = why_none(trials(result_of, (9.0, 100.0), budget="p99_us<5"))
    assert "p99_us was not measured" in unmeasured


def test_where_no_trial_is_complete_the_commonest_reasons_are_told(result_of):
    reasons = ["round 3: 1.5 is less than 7", "round 4: 2e-3 is less than 7", "no expert"]
    results = [result_of(n, {}, state="pruned", reason=reason) for n, reason in enumerate(reasons)]
    results.append(result_of(3, {}, state="failed"))
    assert why_none(results) == (
        "no trial is complete: 0 complete; 3 pruned: round 3: 1.5 is less than 7 (2); no expert (1); "
        "1 failed: no reason is known"
    )
    assert tally(results).pruned == (("round 3: 1.5 is less than 7", 2), ("no expert", 1))


def test_a_complete_trial_without_a_seed_is_a_defect(result_of):
    with pytest.raises(ValueError, match="names no seed"):
        pick([dataclasses.replace(result_of(0, {"return": 1.0}), best_seed=None)], GOALS[:1], NONE)
