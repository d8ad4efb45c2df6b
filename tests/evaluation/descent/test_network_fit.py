"""Networks that learn by heart."""

import numpy as np
import pytest

from ltc_edge.evaluation.descent.network_fit import FITTED_LOSS, fit_network, untrained
from ltc_edge.evaluation.descent.outcome import Point, Settings
from ltc_edge.evaluation.descent.widths import default_widths, parameters
from ltc_edge.training.learner import Learner


@pytest.mark.parametrize("cell", ["ltc", "cfc", "ctrnn", "lstm", "gru"])
def test_parameters_are_those_of_the_network(noise, cell):
    settings = Settings(cell, 40, 1, 0.05, 3)
    for width in (1, 5):
        controller = untrained(noise, settings, width, seed=0)
        assert controller.parameters_effective() == parameters(noise, settings, width)
    widths = default_widths(noise, settings)
    counts = np.array([parameters(noise, settings, width) for width in widths])
    assert counts[0] < 40
    assert counts[-1] == pytest.approx(1280, rel=0.15)


def test_a_network_learns_wrong_labels_by_heart_and_comes_out_the_same(noise):
    settings, point = Settings("ltc", 4, 1500, 0.05, 1), Point(6, 0.5, 0)
    outcome = fit_network(noise, settings, point)
    assert outcome.stopped == "fitted"
    assert outcome.updates < 1500
    assert outcome.train_error < 10 * FITTED_LOSS
    assert outcome.label_noise > 0.01
    assert outcome.test_error > outcome.train_error
    assert 0 < outcome.lipschitz[0] <= outcome.lipschitz[1]
    assert fit_network(noise, settings, point) == outcome


def test_updates_end_training_and_so_does_a_loss_that_is_not_finite(noise, monkeypatch):
    settings, point = Settings("cfc", 4, 3, 0.01, 0), Point(2, 0.0, 0)
    assert fit_network(noise, settings, point).stopped == "updates"
    update = Learner.update

    def explodes(learner, loss, rate):
        return update(learner, loss * (np.nan if learner.updates == 2 else 1.0), rate)

    monkeypatch.setattr(Learner, "update", explodes)
    diverged = fit_network(noise, settings, point)
    assert (diverged.stopped, diverged.updates) == ("diverged", 2)
    assert np.isfinite(diverged.test_error)
