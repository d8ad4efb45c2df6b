"""Horizon and rate of gradients that are known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ltc_edge.evaluation.memory.decay import decay_of


@given(rate=st.floats(0.05, 0.999), peak=st.floats(1e-6, 1e6), lags=st.integers(4, 400))
def test_an_exponential_is_found_again(rate, peak, lags):
    decay = decay_of(peak * rate ** np.arange(lags))
    if decay.rate is not None:
        assert decay.rate == pytest.approx(rate, rel=1e-6)
        assert decay.lags_to_e == pytest.approx(-1 / np.log(rate), rel=1e-4)
        assert decay.r_squared == pytest.approx(1.0)
    expected = int(np.floor(np.log(0.01) / np.log(rate) * (1 + 1e-12)))
    assert decay.horizon == (expected if expected < lags - 1 else None)
    assert decay.reaches(0)
    assert decay.horizon is None or not decay.reaches(decay.horizon + 1)


def test_what_comes_back_counts():
    assert decay_of(np.array([1.0, 1e-5, 1e-5, 0.5, 1e-5])).horizon == 3


def test_a_gradient_that_does_not_fall_has_no_horizon():
    flat = decay_of(np.ones(20))
    assert flat.horizon is None
    assert flat.rate == 1.0
    assert flat.lags_to_e is None


def test_no_gradient_at_all_reaches_nowhere():
    nothing = decay_of(np.zeros(20))
    assert nothing.horizon == 0
    assert nothing.rate is None
    assert not nothing.share.any()
