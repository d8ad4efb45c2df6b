"""Axes of a front's pictures: what they reach, and their ticks."""

import dataclasses
import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from ltc_edge.sweep.budget import Budget
from ltc_edge.sweep.front_axes import WIDE, Axis, axis_of, costs_of, ticks
from ltc_edge.sweep.objectives import OBJECTIVES, read_objectives
from ltc_edge.sweep.swept import Swept

COST, RETURN = OBJECTIVES["instructions"], OBJECTIVES["return"]


@settings(max_examples=40, deadline=None)
@given(low=st.floats(1e-6, 1e6), ratio=st.floats(1.01, 1e9), is_log=st.booleans(), most=st.integers(3, 8))
def test_ticks_are_few_rise_and_lie_on_the_axis(low, ratio, is_log, most):
    axis = Axis(COST, low, low * max(ratio, WIDE if is_log else ratio), is_log)
    found = ticks(axis, most)
    assert 1 <= len(found) <= most + 1 if not is_log else len(found) <= most
    assert all(-1e-9 <= axis.share(value) <= 1 + 1e-9 for value in found)
    assert all(one < other for one, other in itertools.pairwise(found))


def test_an_axis_is_over_the_front_and_leaves_out_what_is_far_worse(result_of):
    rows = [(100.0 + number, 1000.0 + 10 * number) for number in range(8)] + [(99.0, 1200.0), (-900.0, 1e9)]
    results = [
        result_of(number, {"return": value, "instructions": cost})
        for number, (value, cost) in enumerate(rows)
    ]
    swept = Swept("t", (RETURN, COST), Budget(), None, tuple(results))
    up, across = axis_of(swept, RETURN), axis_of(swept, COST)
    assert all(0 <= up.share(value) <= 1 and 0 <= across.share(cost) <= 1 for value, cost in rows[:8])
    assert up.share(99.0) > 0
    assert up.share(-900.0) < 0
    assert across.share(1e9) > 1
    # Of so few on the front all is shown, over powers of ten; a return never is.
    few = dataclasses.replace(swept, results=tuple(results[6:]))
    assert axis_of(few, RETURN).share(-900.0) > 0
    assert axis_of(few, COST).is_log
    assert 0 < axis_of(few, COST).share(1e9) < 1
    assert not axis_of(few, RETURN).is_log


def test_intervals_wider_than_all_that_was_found_do_not_stretch_an_axis(result_of):
    results = [
        result_of(n, {"return": [10.0 * n, 10.0 * n + 400], "instructions": float(n + 1)}) for n in range(8)
    ]
    swept = Swept("t", (RETURN, COST), Budget(), None, tuple(results))
    axis = axis_of(swept, RETURN)
    assert axis.high - axis.low < 4 * 70
    assert axis.low < 200 < 270 < axis.high


def test_what_is_drawn_across(swept):
    assert [goal.name for goal in costs_of(swept)] == ["instructions", "error"]
    alone = dataclasses.replace(swept, goals=read_objectives("return"))
    assert [goal.name for goal in costs_of(alone)] == ["instructions"]
    smallest = dataclasses.replace(swept, goals=read_objectives("instructions"))
    assert [goal.name for goal in costs_of(smallest)] == ["flash"]
    assert costs_of(dataclasses.replace(alone, results=())) == ()
    assert axis_of(dataclasses.replace(swept, results=()), RETURN) is None
