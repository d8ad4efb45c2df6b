"""The one-standard-error rule on curves whose answer is plain."""

import dataclasses

import numpy as np
import pytest

from ltc_edge.evaluation.sizing.learning_curve import Candidate
from ltc_edge.evaluation.sizing.recommendation import recommend, standard_error
from ltc_edge.training.options import ModelOptions

GUESS = np.array([1.0, 1.2, 0.8])


def candidates(*errors):
    return [
        Candidate(ModelOptions(units=4 * 2**index), 10, 100 * 2**index, np.array(held_out), np.zeros(3), 1.0)
        for index, held_out in enumerate(errors)
    ]


@pytest.mark.parametrize(
    ("errors", "outcome", "units"),
    [
        # Folds differ in difficulty by more than networks do: differences tell all the same.
        (([0.5, 0.7, 0.3], [0.2, 0.4, 0.1], [0.21, 0.39, 0.1], [0.2, 0.41, 0.1]), "found", 8),
        (([0.5, 0.7, 0.3], [0.4, 0.6, 0.2], [0.3, 0.5, 0.1]), "still falling", 16),
        (([0.2, 0.4, 0.1], [0.21, 0.39, 0.1], [0.25, 0.5, 0.2]), "flat", 4),
        (([0.2, 0.4, 0.1],), "flat", 4),
    ],
)
def test_the_narrowest_within_one_standard_error_of_the_best_is_recommended(errors, outcome, units):
    found = recommend(candidates(*errors), GUESS, windows=100.0)
    assert found.outcome == outcome
    assert found.chosen.options.units == units
    assert found.reason is None


def test_without_enough_data_nothing_is_recommended():
    no_better = recommend(candidates([1.1, 1.1, 0.7], [0.9, 1.4, 0.9]), GUESS, windows=100.0)
    assert (no_better.outcome, no_better.chosen) == ("not enough data", None)
    assert "guess" in no_better.reason
    too_few = recommend(candidates([0.1, 0.1, 0.1]), GUESS, windows=2.5)
    assert (too_few.outcome, too_few.chosen) == ("not enough data", None)
    assert "2.5 independent windows" in too_few.reason


def test_a_wider_network_that_learns_less_in_training_is_no_matter_of_the_data():
    narrow, wide = candidates([0.2, 0.4, 0.1], [0.3, 0.5, 0.2])
    assert recommend([narrow, wide], GUESS, windows=100.0).settled
    narrow = dataclasses.replace(narrow, trained=np.array([0.2, 0.3, 0.1]))
    for trained, settled in (([0.21, 0.31, 0.11], True), ([0.3, 0.4, 0.2], False), ([0.1, 0.9, 0.1], True)):
        unlearned = dataclasses.replace(wide, trained=np.array(trained))
        assert recommend([narrow, unlearned], GUESS, windows=100.0).settled is settled


def test_the_standard_error_is_that_of_a_mean():
    assert standard_error(np.array([1.0, 2.0, 3.0])) == pytest.approx(1 / np.sqrt(3))
