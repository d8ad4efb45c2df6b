"""Peaks that are there are found, and those of chance are not."""

import numpy as np
import pytest

from ltc_edge.evaluation.descent.peak import most_prominent

WIDTHS, SEEDS = 9, 5


def _seen(curves):
    found = [most_prominent(errors, logarithmic=True) for errors in curves]
    return [each for each in found if each is not None and each.is_seen]


@pytest.mark.parametrize("trend", ["flat", "rising", "falling", "rising to a plateau"])
def test_curves_without_a_peak_have_one_as_seldom_as_promised(trend):
    width = np.arange(WIDTHS)[:, None]
    mean = {"flat": 0 * width, "rising": 0.1 * width, "falling": -0.1 * width}.get(trend, 1.0 * (width > 2))
    rng = np.random.default_rng(0)
    seen = _seen(np.exp(mean + 0.3 * rng.standard_t(3, (200, WIDTHS, SEEDS))))
    assert len(seen) < 20  # of 10 promised; more than 19 come once in 300


def test_a_planted_peak_is_found_where_it_is():
    rng = np.random.default_rng(2)
    hill = -np.abs(np.arange(WIDTHS) - 3.0)[:, None]
    seen = _seen(np.exp(hill + 0.3 * rng.standard_normal((50, WIDTHS, SEEDS))))
    assert len(seen) == 50
    assert {each.index for each in seen} == {3}
    # The height is that of the hill, but for chance.
    assert np.median([each.rise for each in seen]) == pytest.approx(np.exp(3), rel=0.1)


def test_a_valley_is_no_peak():
    assert most_prominent(np.array([3.0, 1.0, 2.0])[:, None] * np.ones((3, 5)), logarithmic=False) is None
