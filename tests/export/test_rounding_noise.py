"""What the error of integers is made of: weights that are off, and noise of the grid."""

import dataclasses

import numpy as np
import pytest

from ltc_edge.export.calibration import excitation, measure
from ltc_edge.export.quantize import quantize
from ltc_edge.export.rounding_noise import RoundingError, noise_hook, rounding_error


@pytest.fixture
def controller(tiny_controller):
    return tiny_controller()


@pytest.fixture
def step(controller):
    return quantize(controller, measure(controller, (excitation(controller, sequences=4, steps=40, seed=3),)))


@pytest.fixture
def sequences(controller):
    return excitation(controller, sequences=16, steps=60, seed=5)


def finer(step, factor):
    """The same step on a grid that is finer by ``factor``."""
    tensors = {n: dataclasses.replace(t, scale16=t.scale16 / factor) for n, t in step.tensors.items()}
    return dataclasses.replace(step, tensors=tensors)


def test_the_parts_make_the_whole(controller, step, sequences):
    found = rounding_error(controller, step, sequences)
    assert found.total == pytest.approx(np.hypot(found.weights, found.noise), rel=0.2)
    assert found == rounding_error(controller, step, sequences)
    assert found.noise != rounding_error(controller, step, sequences, seed=1).noise


def test_noise_is_proportional_to_the_step_of_the_grid(controller, step, sequences):
    noise = [rounding_error(controller, finer(step, f), sequences).noise for f in (1, 4)]
    assert noise[0] / noise[1] == pytest.approx(4.0, rel=0.05)


def test_noise_is_as_wide_as_a_step_and_only_where_something_is_rounded(step):
    hook = noise_hook(step.program, step.tensors, seed=0)
    action, values = "readout.action", np.zeros((4000, 1))
    added = hook(action, values) / step.tensors[action].scale16
    assert np.abs(added).max() <= 0.5
    assert added.std() == pytest.approx(12**-0.5, rel=0.05)
    held = np.full((3, step.program.sizes["state_in"]), 0.3)
    np.testing.assert_array_equal(hook("state_in", held), held)


def test_a_step_without_error_is_all_noise():
    assert RoundingError(0.0, 0.0, 0.0).noise_share == 1.0
    assert RoundingError(0.02, 0.0, 0.01).noise_share == pytest.approx(0.25)
