"""Rounding to 8 bits: within range, no worse than to the nearest, unbiased, exact where it can be."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ltc_edge.export.program import Dense
from ltc_edge.export.rounding import GREATEST, _error, _moments, round_dense

SEEDS = st.integers(0, 2**32 - 1)


def layer(seed, rows, columns, samples=200):
    """A layer of any scale whose inputs move together."""
    rng = np.random.default_rng(seed)
    weight = rng.normal(size=(rows, columns)) * 10.0 ** rng.uniform(-4, 4, size=(rows, 1))
    weight[rng.random((rows, columns)) < 0.3] = 0
    mixed = rng.normal(size=(samples, columns)) @ rng.normal(size=(columns, columns)) + rng.normal(
        size=columns
    )
    return Dense("y", "x", weight, rng.normal(size=rows)), mixed * 10.0 ** rng.uniform(-3, 2)


@settings(max_examples=100, deadline=None)
@given(SEEDS, st.integers(1, 8), st.integers(1, 24))
def test_within_range_and_no_worse_than_to_the_nearest(seed, rows, columns):
    operation, samples = layer(seed, rows, columns)
    rounded = round_dense(operation, samples)
    assert rounded.values.dtype == np.int8
    assert np.abs(rounded.values.astype(int)).max() <= GREATEST
    assert (rounded.scale > 0).all()
    _, covariance = _moments(samples, columns)
    greatest = np.abs(operation.weight).max(axis=1, keepdims=True)
    step = np.where(greatest > 0, greatest, 1.0) / 127
    nearest = np.rint(operation.weight / step) * step
    ours = _error(operation.weight - rounded.weight(), covariance)
    theirs = _error(operation.weight - nearest, covariance)
    assert (ours <= theirs * (1 + 1e-9)).all()


@settings(max_examples=60, deadline=None)
@given(SEEDS, st.integers(1, 8), st.integers(1, 24))
def test_the_mean_of_every_output_is_kept(seed, rows, columns):
    operation, samples = layer(seed, rows, columns)
    rounded = round_dense(operation, samples)
    exact = samples @ operation.weight.T
    error = samples @ rounded.weight().T + rounded.bias - exact - operation.bias
    assert (np.abs(error.mean(axis=0)) <= 1e-12 * (1 + np.abs(exact).max(axis=0))).all()


def test_inputs_that_move_together_make_up_for_each_other():
    """With nearly one degree of freedom behind 30 inputs, the sum is far better than to the nearest."""
    rng = np.random.default_rng(4)
    samples = rng.normal(size=(500, 1)) + 0.05 * rng.normal(size=(500, 30))
    operation = Dense("y", "x", rng.normal(size=(5, 30)), np.zeros(5))
    rounded = round_dense(operation, samples)
    step = np.abs(operation.weight).max(axis=1, keepdims=True) / 127
    nearest = np.rint(operation.weight / step) * step
    rms = [np.sqrt(np.mean((samples @ (w - operation.weight).T) ** 2)) for w in (rounded.weight(), nearest)]
    assert rms[0] < 0.5 * rms[1]


@settings(max_examples=60, deadline=None)
@given(SEEDS, st.integers(1, 6), st.integers(1, 12), st.booleans())
def test_whole_multiples_of_a_step_are_exact(seed, rows, columns, named):
    """Whether the operation names the step, or its largest weight shows it."""
    rng = np.random.default_rng(seed)
    integers, step = rng.integers(-127, 128, size=(rows, columns)), 10.0 ** rng.uniform(-5, 2, size=rows)
    if not named:
        integers[:, 0] = 127
    bias = rng.normal(size=rows)
    operation = Dense("y", "x", integers * step[:, None], bias, step if named else None)
    rounded = round_dense(operation, rng.normal(size=(50, columns)))
    np.testing.assert_array_equal(rounded.values, integers)
    np.testing.assert_allclose(rounded.weight(), operation.weight, rtol=1e-12)
    np.testing.assert_allclose(rounded.bias, bias, rtol=1e-9)


def test_rows_of_zeros_stay_zero_and_keep_their_bias():
    weight = np.array([[0.0, 0.0], [0.3, -0.7]])
    rounded = round_dense(
        Dense("y", "x", weight, np.array([0.25, 0.5])), np.random.default_rng(0).normal(size=(9, 2))
    )
    assert (rounded.values[0] == 0).all()
    assert rounded.bias[0] == 0.25
    # A bias in units of input scale and weight scale must not outgrow 32 bits.
    assert rounded.scale[0] > 1e-3


def test_inputs_that_never_moved_or_were_never_seen():
    weight = np.array([[1.0, 0.4, -0.3]])
    for samples in (np.zeros((50, 3)), np.ones((50, 3)), np.zeros((0, 3)), np.ones((1, 3))):
        rounded = round_dense(Dense("y", "x", weight, np.zeros(1)), samples)
        assert (np.abs(rounded.weight() - weight) <= rounded.scale[:, None]).all()
        assert np.isfinite(rounded.bias).all()


def test_the_same_rounding_twice():
    operation, samples = layer(1, 6, 20)
    first, second = round_dense(operation, samples), round_dense(operation, samples)
    np.testing.assert_array_equal(first.values, second.values)
    np.testing.assert_array_equal(first.bias, second.bias)
