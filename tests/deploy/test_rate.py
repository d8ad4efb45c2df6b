"""How a loop of another rate steps a controller."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ltc_edge.controller import Timing
from ltc_edge.deploy.rate import EDGE, RatePlan, plan_rate
from ltc_edge.errors import InputError

NATIVE = Timing.of_period(0.02)
"""50 Hz, 2 to 200 ms."""


@pytest.mark.parametrize(
    ("rate_hz", "every"),
    [(5.0, 1), (50.0, 1), (499.0, 1), (500.0, 1), (501.0, 10), (1000.0, 20), (8000.0, 160)],
)
def test_a_loop_steps_within_the_range_and_decimates_above_it(rate_hz: float, every: int) -> None:
    plan = plan_rate(NATIVE, rate_hz)
    assert plan == RatePlan(1.0 / rate_hz, every)
    assert plan.decimated == (every > 1)
    assert plan.step_s == pytest.approx(every / rate_hz)


def test_decimation_stays_within_a_range_that_excludes_the_nearest_multiple() -> None:
    timing = Timing(0.029, 0.015, 0.0295, 0.029)
    assert plan_rate(timing, 100.0).every == 2  # 30 ms would be nearer to 29


def test_of_two_multiples_equally_near_the_shorter_is_taken() -> None:
    assert plan_rate(Timing(0.015, 0.0101, 0.1, 0.015), 100.0).every == 2  # 10 ms is outside
    assert plan_rate(Timing(0.025, 0.0101, 0.1, 0.025), 100.0).every == 2  # 20 and 30 ms


def test_a_multiple_that_is_asked_for_is_taken_where_it_is_allowed() -> None:
    assert plan_rate(NATIVE, 100.0, every=2).step_s == pytest.approx(NATIVE.period_s)
    assert plan_rate(NATIVE, 1000.0, every=200).every == 200
    for every in (0, -1, 201):
        with pytest.raises(InputError, match="2 to 200 ms"):
            plan_rate(NATIVE, 1000.0, every=every)


@pytest.mark.parametrize("rate_hz", [0.0, -1.0, math.nan, math.inf, 1e-320])
def test_what_is_no_rate_is_refused(rate_hz: float) -> None:
    with pytest.raises(InputError, match="no rate"):
        plan_rate(NATIVE, rate_hz)


def test_a_loop_slower_than_the_range_is_refused_with_what_to_do() -> None:
    with pytest.raises(InputError, match=r"2 to 200 ms.*at 5 Hz or more") as refused:
        plan_rate(NATIVE, 4.9)
    assert "\n" not in str(refused.value)


def test_a_range_without_any_multiple_is_refused_with_a_rate_that_goes() -> None:
    timing = Timing(0.02, 0.02, 0.02, 0.02)
    with pytest.raises(InputError, match=r"no whole multiple.*Run the loop at 50 Hz"):
        plan_rate(timing, 70.0)
    assert plan_rate(timing, 50.0).every == 1
    assert plan_rate(timing, 150.0).every == 3


timings = st.builds(
    lambda period, below, above: Timing(period, period * below, period * above, period),
    st.floats(1e-5, 10.0),
    st.floats(0.01, 1.0),
    st.floats(1.0, 100.0),
)


@settings(max_examples=60)
@given(timing=timings, rate_hz=st.floats(1e-3, 1e6))
def test_what_is_planned_lies_in_the_range_and_no_multiple_in_it_is_nearer(
    timing: Timing, rate_hz: float
) -> None:
    low, high = timing.dt_min_s * (1 - 2 * EDGE), timing.dt_max_s * (1 + 2 * EDGE)
    try:
        plan = plan_rate(timing, rate_hz)
    except InputError:
        first = math.ceil(timing.dt_min_s * rate_hz)
        assert not timing.dt_min_s <= first / rate_hz <= timing.dt_max_s
        return
    assert low <= plan.step_s <= high
    if plan.decimated:
        away = abs(plan.step_s - timing.period_s)
        for other in (plan.every - 1, plan.every + 1):
            step_s = other * plan.period_s
            if timing.dt_min_s <= step_s <= timing.dt_max_s:
                assert away <= abs(step_s - timing.period_s) * (1 + 1e-9)


@settings(max_examples=60)
@given(timing=timings, multiple=st.integers(1, 1000))
def test_a_loop_at_a_multiple_of_either_end_of_the_range_is_taken(timing: Timing, multiple: int) -> None:
    for end in (timing.dt_min_s, timing.period_s, timing.dt_max_s):
        plan = plan_rate(timing, multiple / end)
        assert plan.every <= multiple * timing.dt_max_s / end * (1 + 2 * EDGE)
