"""A dependency beyond reach is found where it was planted, and hardly ever where it was not."""

import numpy as np
import pytest
from scipy.signal import lfilter

from ltc_edge.evaluation.memory.dependency import LEVEL, History, find_dependency, told_within, unexplained

LAGS = 60
STEP = 20
"""Rows between moments."""


def histories(rows, channels, target_of, seed, pole=0.8):
    """Moments of autoregressive inputs: ``target_of(inputs, noise)`` is the target of every row."""
    rng = np.random.default_rng(seed)
    inputs = lfilter([np.sqrt(1 - pole**2)], [1, -pole], rng.standard_normal((rows, channels)), axis=0)
    target = target_of(inputs, rng.standard_normal((rows, 1)))
    at = np.arange(LAGS - 1, rows, STEP)
    past = np.stack([inputs[row - LAGS + 1 : row + 1][::-1] for row in at])
    return target[at], past


def delayed(inputs, lag):
    return np.concatenate([np.zeros((lag, inputs.shape[1])), inputs[:-lag]])


def present_only(inputs, noise):
    """A nonlinear function of the present and the row before, and noise."""
    return np.tanh(2 * inputs[:, :1]) * inputs[:, 1:2] + 0.5 * delayed(inputs, 1)[:, :1] ** 2 + 0.3 * noise


def test_false_alarms_are_as_rare_as_the_level_says():
    """A network that knows nothing of a target without long dependency: all it tells is left in the error."""
    alarms = 0
    for seed in range(40):
        target, past = histories(5000, 2, present_only, seed, pole=(0.0, 0.5, 0.8, 0.97)[seed % 4])
        alarms += find_dependency(History(target, target, past), reach=4, seed=seed) is not None
    # More than 3 of 40 come by chance less than once in a thousand such tests.
    assert alarms <= 3


@pytest.mark.parametrize(("squared", "lag", "channel"), [(False, 30, 1), (True, 45, 0)])
def test_a_planted_dependency_is_found_at_its_lag(squared, lag, channel):
    def target_of(inputs, noise):
        far = delayed(inputs, lag)[:, channel : channel + 1]
        return inputs[:, :1] + (far**2 if squared else far) + 0.5 * noise

    target, past = histories(12_000, 2, target_of, seed=1)
    error = target - past[:, 0, :1]
    found = find_dependency(History(error, target, past), reach=8)
    assert found is not None
    assert (found.lag, found.channel, found.squared) == (lag, channel, squared)
    assert found.p_value <= LEVEL
    share = (error.var() - 0.25) / target.var()
    assert found.gain == pytest.approx(share, rel=0.3)


def test_what_the_network_reaches_is_not_its_fault():
    def target_of(inputs, noise):
        return delayed(inputs, 10)[:, :1] + 0.1 * noise

    target, past = histories(8000, 1, target_of, seed=2, pole=0.0)
    assert find_dependency(History(target, target, past), reach=9).lag == 10
    assert find_dependency(History(target, target, past), reach=10) is None


def test_little_that_is_left_is_not_worth_a_word():
    def target_of(inputs, noise):
        return inputs[:, :1] + 0.05 * delayed(inputs, 30)[:, :1] + 0.01 * noise

    target, past = histories(12_000, 1, target_of, seed=3)
    history = History(target - past[:, 0, :1], target, past)
    assert 0 < unexplained(history) < 0.01
    assert find_dependency(history, reach=8) is None


@pytest.mark.parametrize(
    ("samples", "reach"), [(100, 5), (400, LAGS - 1), (400, LAGS + 5)], ids=["few", "last lag", "past it"]
)
def test_where_nothing_can_be_told_nothing_is(samples, reach):
    rng = np.random.default_rng(4)
    past = rng.standard_normal((samples, LAGS, 1))
    error = past[:, 40]
    assert find_dependency(History(error, error, past), reach) is None


def test_inputs_that_never_change_are_no_trouble():
    rng = np.random.default_rng(5)
    past = np.concatenate([rng.standard_normal((300, LAGS, 1)), np.ones((300, LAGS, 1))], axis=2)
    error = past[:, 40, :1]
    found = find_dependency(History(error, error, past), reach=5)
    assert (found.lag, found.channel) == (40, 0)
    constant = np.zeros((300, 1))
    assert find_dependency(History(constant, constant, past), reach=5) is None


def test_what_inputs_within_reach_tell_is_told_from_noise():
    rng = np.random.default_rng(6)
    past = rng.standard_normal((500, LAGS, 2))
    noise = rng.standard_normal((500, 1))
    assert abs(told_within(History(noise, noise, past), reach=9)) < 0.1
    mixed = past[:, 3, :1] + noise
    assert told_within(History(mixed, mixed, past), reach=9) == pytest.approx(0.5, abs=0.1)
    assert told_within(History(mixed, mixed, past), reach=2) < 0.1
