"""The control case: it must show double descent, with its peak at the threshold."""

import numpy as np
import pytest

from ltc_edge.evaluation.descent.curve import make_curve
from ltc_edge.evaluation.descent.peak import most_prominent
from ltc_edge.evaluation.descent.random_features import RandomFeatures
from ltc_edge.evaluation.descent.store import Store
from ltc_edge.evaluation.descent.sweep import Grid, run_sweep
from ltc_edge.evaluation.descent.verdict import judge

WINDOWS = 30


@pytest.fixture(scope="module")
def curve(noise, features, tmp_path_factory):
    settings = features(WINDOWS)
    grid = Grid((5, 15, 24, 30, 36, 60, 240), (0.2,), tuple(range(5)))
    store = Store(tmp_path_factory.mktemp("control"), noise.sha256, settings)
    return make_curve(grid, run_sweep(noise, settings, grid, store), 0.2, logarithmic=True)


def test_the_peak_is_at_as_many_parameters_as_labels(curve):
    verdict = judge(curve, WINDOWS)
    assert verdict.is_double_descent
    assert curve.widths[verdict.interpolates_from] == WINDOWS
    assert curve.widths[verdict.peak.index] == WINDOWS
    assert verdict.peak.rise > 5
    assert verdict.peak.fall > 5
    assert "at width 30 (p = 30, 1 × n·outputs)" in verdict.words


def test_with_a_ridge_it_is_gone(curve):
    peak = most_prominent(curve.ridge_error, logarithmic=True)
    assert peak is None or not peak.is_seen
    assert curve.ridge_error.max() < 2.0


def test_labels_are_known_by_heart_from_there_on_and_not_before(curve):
    known = curve.train_error.max(axis=1) < 1e-12
    np.testing.assert_array_equal(known, np.array(curve.widths) >= WINDOWS)


def test_the_lipschitz_bracket_holds_and_peaks_with_the_error(curve):
    assert (curve.lipschitz[..., 0] <= curve.lipschitz[..., 1]).all()
    assert np.median(curve.lipschitz[..., 0], axis=1).argmax() == curve.widths.index(WINDOWS)


def test_no_two_windows_exceed_the_upper_bound_and_near_ones_reach_the_lower(features):
    rng = np.random.default_rng(0)
    layer, readout = RandomFeatures(12, 4, seed=1), rng.standard_normal((12, 2))
    at = rng.standard_normal((50, 4))
    lower, upper = layer.lipschitz(readout, at)
    moves = np.concatenate([rng.standard_normal((5000, 4)) * 10.0**power for power in (-4, 0)])
    start = at[rng.integers(0, 50, len(moves))]
    slopes = np.linalg.norm((layer(start + moves) - layer(start)) @ readout, axis=1)
    slopes /= np.linalg.norm(moves, axis=1)
    assert 0.8 * lower < slopes.max() <= upper


def test_a_narrow_layer_is_the_beginning_of_a_wide_one():
    narrow, wide = RandomFeatures(3, 5, seed=2), RandomFeatures(9, 5, seed=2)
    np.testing.assert_array_equal(narrow.weight, wide.weight[:3])
    np.testing.assert_array_equal(narrow.bias, wide.bias[:3])
