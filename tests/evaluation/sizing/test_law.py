"""The law's counts to the digit, and premises that say what was seen."""

import math

import numpy as np
import pytest

from ltc_edge.evaluation.sizing import law


def test_the_counts_are_those_of_the_law():
    assert law.parameters_for_smoothness(386.0, 3.75) == 386.0 * 3.75
    assert law.gap_heuristic(400, 100.0) == 2.0
    assert law.gap_heuristic(50, 7.0) == math.sqrt(50 / 7)


def test_rows_that_remember_are_not_independent():
    white = law.independence(1000, 32, 1.1, "q", resolved=True)
    slow = law.independence(1000, 32, 210.4, "q", resolved=True)
    endless = law.independence(1000, 32, 500.0, "q", resolved=False)
    assert [each.state for each in (white, slow, endless)] == ["met", "not met", "not met"]
    assert "q remembers 210 rows" in slow.reason
    assert "at least 500" in endless.reason


def test_heavy_tails_refute_isoperimetry_and_light_ones_do_not_prove_it():
    rng = np.random.default_rng(0)
    normal = law.isoperimetry(rng.standard_normal((2000, 4)))
    heavy = law.isoperimetry(np.column_stack([rng.standard_normal((2000, 3)), rng.standard_t(2.5, 2000)]))
    assert normal.state == "unknown"
    assert "constant is 1." in normal.reason
    assert heavy.state == "not met"
    assert "heavier tails" in heavy.reason


@pytest.mark.parametrize(
    ("trained", "held_out", "state"), [(0.3, 0.2, "not met"), (0.1, 0.2, "unknown"), (None, None, "unknown")]
)
def test_a_training_error_above_what_the_noise_can_be_is_not_below_it(trained, held_out, state):
    assert law.fit_below_noise(trained, held_out).state == state


def test_weights_are_bounded_or_not_or_there_are_none():
    assert [law.bounded_weights(w).state for w in (11.0, 1e4, None)] == ["met", "not met", "unknown"]


def test_the_constant_is_never_known():
    premises = [law.known_constant(), law.bounded_weights(1.0)]
    assert law.premises_not_met(premises) == ("known constant",)
