"""Norms of balls of matrices, against decompositions of matrices in them."""

import numpy as np
import pytest

from ltc_edge.evaluation.lipschitz.balls import Ball
from ltc_edge.evaluation.lipschitz.norms import spectral_above, spectral_below


@pytest.mark.parametrize("size", [1e-100, 1.0, 1e160, 1e300])
def test_every_matrix_of_a_ball_lies_between_both_bounds_however_large_it_is(size):
    rng = np.random.default_rng(0)
    mid, rad = rng.normal(size=(50, 3, 4)), rng.uniform(0.0, 0.3, size=(50, 3, 4))
    ball = Ball(size * mid, size * rad)
    norms = [
        np.linalg.norm(mid + rad * rng.uniform(-1.0, 1.0, size=mid.shape), ord=2, axis=(1, 2))
        for _ in range(50)
    ]
    above, below = spectral_above(ball) / size, spectral_below(ball) / size
    assert np.isfinite(above).all()
    assert (below > 0.0).any()
    assert (above >= np.max(norms, axis=0)).all()
    assert (below <= np.min(norms, axis=0)).all()


def test_of_what_is_not_known_nothing_is_said():
    mid = np.ones((3, 2, 2))
    mid[0, 0, 0], mid[1, 1, 1] = np.nan, np.inf
    ball = Ball(mid, np.zeros((3, 2, 2)))
    assert spectral_above(ball)[:2].tolist() == [np.inf, np.inf]
    assert spectral_below(ball)[:2].tolist() == [0.0, 0.0]
    assert spectral_above(ball)[2] == pytest.approx(2.0)


def test_a_norm_beyond_the_largest_float_has_no_lower_bound_that_is_infinite():
    ball = Ball(np.full((1, 2, 2), 1.7e308), np.zeros((1, 2, 2)))
    with np.errstate(over="ignore"):
        assert spectral_below(ball).tolist() == [0.0]
        assert spectral_above(ball).tolist() == [np.inf]
