"""Peaks that are there are found, and those of chance are not."""

import numpy as np
import pytest

from ltc_edge.evaluation.descent import peak
from ltc_edge.evaluation.descent.peak import most_prominent

WIDTHS, SEEDS = 9, 5


@pytest.fixture(autouse=True)
def _fewer_permutations(monkeypatch):
    monkeypatch.setattr(peak, "PERMUTATIONS", 250)
    monkeypatch.setattr(peak, "_AT_ONCE", 250)


def _seen(curves):
    found = [most_prominent(errors, logarithmic=True) for errors in curves]
    return [each for each in found if each is not None and each.is_seen]


def test_curves_without_order_have_peaks_as_seldom_as_promised():
    rng = np.random.default_rng(0)
    seen = _seen(np.exp(rng.standard_t(3, (300, WIDTHS, SEEDS))))
    assert len(seen) < 30  # of 15 expected; more than 29 come once in 5000


@pytest.mark.parametrize("slope", [-0.5, 0.5])
def test_curves_that_only_rise_or_fall_have_none(slope):
    rng = np.random.default_rng(1)
    trend = slope * np.arange(WIDTHS)[:, None]
    assert len(_seen(np.exp(trend + 0.3 * rng.standard_normal((100, WIDTHS, SEEDS))))) <= 2


def test_a_planted_peak_is_found_where_it_is():
    rng = np.random.default_rng(2)
    hill = -np.abs(np.arange(WIDTHS) - 3.0)[:, None]
    seen = _seen(np.exp(hill + 0.3 * rng.standard_normal((50, WIDTHS, SEEDS))))
    assert len(seen) == 50
    assert {each.index for each in seen} == {3}
    # A geometric mean of 5: the height is that of the hill but for chance, which picks the lowest.
    assert np.median([each.rise for each in seen]) == pytest.approx(np.exp(3), rel=0.1)


def test_a_valley_is_no_peak():
    assert most_prominent(np.array([3.0, 1.0, 2.0])[:, None] * np.ones((3, 5)), logarithmic=False) is None
