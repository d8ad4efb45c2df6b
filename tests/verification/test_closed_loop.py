"""When a return counts as lost."""

import numpy as np
import pytest

from ltc_edge.verification.closed_loop import ClosedLoopResult, ClosedLoopTrial


def result(lost, low, high):
    return ClosedLoopResult(20, -1.0, -2.0, -1.0, lost, (low, high), (0.01,), (0.1,))


@pytest.mark.parametrize(
    ("lost", "low", "high", "exceeds"),
    [
        (0.0, 0.0, 0.0, False),
        (-5.0, -6.0, -4.0, False),  # a gain
        (0.4, 0.3, 0.6, False),  # sure, and allowed
        (0.6, 0.5, 0.7, True),  # sure, and too much
        (0.6, -0.1, 1.2, False),  # may be chance
        (0.6, 0.0, 1.2, False),
        (np.nan, np.nan, np.nan, True),
    ],
)
def test_a_loss_counts_where_it_is_beyond_what_is_allowed_and_beyond_chance(lost, low, high, exceeds):
    assert result(lost, low, high).exceeds(0.5) is exceeds


@pytest.fixture
def compare(monkeypatch):
    """The comparison of a file's returns with the float controller's."""

    def of(own, returns):
        trial = object.__new__(ClosedLoopTrial)
        trial.float_returns = np.asarray(own, dtype=float)
        trial._tape = np.zeros((3, 2)), np.full(3, 0.1), np.zeros((3, 1))
        return trial._compare(np.asarray(returns, dtype=float), np.full((3, 1), 0.5))

    return of


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_the_loss_is_a_share_of_the_magnitude_whatever_its_sign(compare, sign):
    own = np.full(20, 200.0 * sign)
    assert compare(own, own - 2.0).return_lost_percent == pytest.approx(1.0)
    assert compare(own, own - 2.0).exceeds(0.5)
    assert not compare(own, own + 2.0).exceeds(0.5)


def test_episodes_are_paired(compare):
    """Episodes that differ widely do not hide a loss that all of them share."""
    own = np.linspace(-1000.0, 0.0, 20)
    found = compare(own, own - 10.0)
    assert found.lost_ci95 == pytest.approx((2.0, 2.0))
    assert found.exceeds(1.0)


def test_one_bad_episode_among_many_may_be_chance(compare):
    own = np.full(20, -100.0)
    unlucky = own.copy()
    unlucky[3] = -140.0
    found = compare(own, unlucky)
    assert found.return_lost_percent == pytest.approx(2.0)
    assert found.lost_ci95[0] == 0.0
    assert not found.exceeds(1.0)
    assert found.return_worst == -140.0


def test_returns_of_zero_have_a_loss_too(compare):
    assert compare(np.zeros(20), np.full(20, -1.0)).exceeds(1.0)
    assert not compare(np.zeros(20), np.zeros(20)).exceeds(0.0)
