"""Intervals by their definition, areas by hand, and what counts as a failure."""

from __future__ import annotations

import numpy as np
import pytest

from ltc_edge.evaluation.corruption.areas import curve_area
from ltc_edge.evaluation.corruption.scores import Yardstick, score, wilson_interval

NEVER, ALWAYS = np.zeros(4, dtype=bool), np.ones(4, dtype=bool)
FALLS = Yardstick(np.full(4, 10.0), np.full(4, 2.0), NEVER, ALWAYS)
ARRIVES = Yardstick(np.full(4, 10.0), np.full(4, 0.0), ALWAYS, NEVER)
LASTS = Yardstick(np.array([0.0, -1.0, -2.0, -3.0]), np.full(4, -9.5), NEVER, NEVER)


@pytest.mark.parametrize(("failures", "episodes"), [(0, 20), (1, 20), (7, 20), (20, 20), (3, 1000)])
def test_the_interval_of_a_rate_is_wilsons(failures, episodes):
    """Its ends are the rates from which the observed one is 1.96 standard deviations away."""
    rate = failures / episodes
    low, high = wilson_interval(failures, episodes)
    for end in (low, high):
        if end not in (0.0, 1.0):
            assert abs(rate - end) == pytest.approx(
                1.95996398 * np.sqrt(end * (1 - end) / episodes), rel=1e-6
            )
    assert low < rate < high or (low, high).count(rate) == 1
    assert 0.0 <= low < high <= 1.0


@pytest.mark.parametrize(
    ("yardstick", "returns", "ended", "failed", "words"),
    [
        (FALLS, [10.0, 3.0, 3.0, 10.0], [0, 1, 0, 1], [0, 1, 0, 1], "it ends before its longest"),
        (ARRIVES, [10.0, 3.0, 3.0, 10.0], [0, 1, 0, 1], [1, 0, 1, 0], "it does not end"),
        # Half of the way from −1.5 to −9.5 is 4, below the expert's own return on each seed.
        (LASTS, [-3.9, -5.1, -5.9, 0.0], [0, 0, 0, 1], [0, 1, 0, 1], "by over 50% of the way"),
    ],
)
def test_what_a_failure_is_follows_from_how_the_expert_and_nothing_end(
    yardstick, returns, ended, failed, words
):
    found = yardstick.failed(np.array(returns), np.array(ended, dtype=bool))
    assert found.tolist() == [bool(each) for each in failed]
    assert words in yardstick.failure
    assert score(np.array(returns), np.array(ended, dtype=bool), yardstick).failures == sum(failed)


def test_the_area_is_by_trapezia_of_heights_between_nothing_and_the_expert():
    heights = [score(np.full(4, value), NEVER, FALLS) for value in (10.0, 10.4, 6.0, 2.0, -90.0, 2.0)]
    assert [each.normalised for each in heights] == pytest.approx([1.0, 1.05, 0.5, 0.0, -11.5, 0.0])
    found = curve_area(heights, FALLS)
    assert found is not None
    assert found.value == pytest.approx((1.0 + 0.75 + 0.25 + 0.0 + 0.0) / 5)
    assert found.area.ci95 == pytest.approx((found.value, found.value))  # episodes that are all alike


def test_relative_areas_compare_episode_by_episode():
    rng = np.random.default_rng(1)
    falls = Yardstick(np.full(30, 10.0), np.zeros(30), np.zeros(30, dtype=bool), np.ones(30, dtype=bool))
    returns = rng.uniform(2.0, 8.0, size=(6, 30))
    own, other = (
        [score(each, falls.expert_ended, falls) for each in rows] for rows in (0.9 * returns, returns)
    )
    area, reference = curve_area(own, falls), curve_area(other, falls)
    assert area is not None
    assert reference is not None
    assert reference.area.ci95[0] < reference.value - 0.01
    assert reference.area.ci95[1] > reference.value + 0.01
    relative = area.relative_to(reference)
    assert relative is not None
    assert (relative.value, *relative.ci95) == pytest.approx((0.9, 0.9, 0.9))


def test_where_the_expert_is_no_better_than_nothing_nothing_is_normalised():
    useless = Yardstick(np.full(4, 1.0), np.full(4, 1.0), NEVER, NEVER)
    found = score(np.full(4, 1.0), NEVER, useless)
    assert found.normalised is None
    assert found.failures == 0
    assert curve_area([found] * 6, useless) is None
