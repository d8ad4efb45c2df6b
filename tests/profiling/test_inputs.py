"""What formats are fed with, and how far off their actions are."""

import dataclasses

import numpy as np
import pytest

from ltc_edge.profiling.inputs import Inputs, action_errors, profile_inputs


def inputs(expected, low=-np.inf, high=np.inf):
    expected = np.asarray(expected, dtype=float)
    steps, actions = expected.shape
    limits = np.full(actions, low), np.full(actions, high)
    return Inputs(np.zeros((steps, 1)), np.zeros(steps), expected, *limits)


def test_the_worst_channel_counts():
    given = inputs([[0.0, 0.0], [2.0, 20.0]])  # deviations of 1 and 10
    assert action_errors(given, np.array([[0.0, 1.0], [2.0, 20.0]])) == {
        "max_abs_error": 1.0,
        "rms_over_sigma": pytest.approx(np.sqrt(0.5) / 10),
    }
    found = action_errors(given, np.array([[0.5, 0.0], [2.0, 20.0]]))
    assert found == {"max_abs_error": 0.5, "rms_over_sigma": pytest.approx(np.sqrt(0.125))}


def test_no_error():
    given = inputs([[0.0], [1.0]])
    assert action_errors(given, given.expected) == {"max_abs_error": 0.0, "rms_over_sigma": 0.0}


def test_what_the_actuator_cannot_do_is_no_error():
    given = inputs([[0.0], [1.0]], -1.0, 1.0)
    assert action_errors(given, np.array([[0.0], [7.0]]))["max_abs_error"] == 0.0


def test_fewer_actions_than_inputs():
    given = inputs([[0.0], [1.0], [5.0]])
    assert action_errors(given, np.array([[0.25]]))["max_abs_error"] == 0.25


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_an_action_that_is_no_number(value):
    found = action_errors(inputs([[0.0], [1.0]]), np.array([[0.0], [value]]))
    assert found == {"max_abs_error": None, "rms_over_sigma": None}


def test_limits_make_no_number_of_nan():
    found = action_errors(inputs([[0.0], [1.0]], -1.0, 1.0), np.array([[np.nan], [1.0]]))
    assert found == {"max_abs_error": None, "rms_over_sigma": None}


def test_an_action_that_never_moves_has_no_deviation():
    found = action_errors(inputs([[1.0], [1.0]]), np.array([[1.0], [1.5]]))
    assert found == {"max_abs_error": 0.5, "rms_over_sigma": None}


def test_made_up_inputs_are_the_same_each_time_and_within_the_range_of_dt(tiny_controller):
    controller = tiny_controller()
    first, second = profile_inputs(controller, 40), profile_inputs(controller, 40)
    for field in dataclasses.fields(Inputs):
        assert np.array_equal(getattr(first, field.name), getattr(second, field.name))
    assert first.observation.shape == (40, 2)
    assert first.expected.shape == (40, 1)
    assert np.array_equal(first.observation, first.observation.astype(np.float32))
    assert controller.timing.dt_min_s <= first.dt_s.min() < first.dt_s.max() <= controller.timing.dt_max_s
    assert first.expected.std() > 0
