import dataclasses

import numpy as np
import pytest

from ltc_edge import Scaling
from ltc_edge.cells import CTRNNSpec
from ltc_edge.errors import InputError
from ltc_edge.evaluation.lipschitz.bracket import (
    lipschitz_bracket,
    lipschitz_brackets,
    steps_of,
    steps_visited,
)
from ltc_edge.evaluation.visited import Visited
from ltc_edge.runtimes.reference import ReferenceBatch


def leaky(tiny_controller, weight, unfolds=1):
    """h' = (h + tanh(w·x)) / 2, of which everything is known by hand."""
    cell = CTRNNSpec(2, 1, unfolds=unfolds)
    parameters = {
        "input_weight": np.array([weight]),
        "recurrent_weight": np.zeros((1, 1)),
        "bias": np.zeros(1),
        "tau": np.array([np.log(np.expm1(1.0))]),
    }
    return tiny_controller(
        cell=cell, parameters=parameters, initial_state=np.zeros(1), normalizer=Scaling.identity(2)
    )


@pytest.fixture
def steps(tiny_controller):
    controller = tiny_controller()
    rng = np.random.default_rng(3)
    observation = rng.normal(size=(12, 4, 2)) * 0.5
    batch = ReferenceBatch(controller)
    batch.reset(12)
    states = []
    for t in range(4):
        states.append(batch.state)
        batch.step(observation[:, t], np.full(12, 0.02))
    valid = np.ones((12, 4), dtype=bool)
    valid[3, 2:] = False
    return Visited(observation, np.full((12, 4), 0.02), np.stack(states, 1), np.zeros((12, 4, 1)), valid)


def test_the_constant_of_a_cell_that_can_be_written_down(tiny_controller):
    controller = leaky(tiny_controller, [3.0, 4.0])
    # Steepest where the argument is zero: half of the norm of (3, 4).
    found = lipschitz_bracket(controller, np.array([0.02, -0.01]), np.zeros(1), 0.02, 0.05)
    assert 2.5 <= found.upper <= 1.03 * 2.5
    assert 2.4 <= found.lower <= 2.5
    assert found.ratio == found.upper / found.lower
    # Away from zero, at the corner nearest to it.
    found = lipschitz_bracket(controller, np.array([0.3, 0.2]), np.zeros(1), 0.02, 0.01)
    steepest = 2.5 / np.cosh(3 * 0.29 + 4 * 0.19) ** 2
    assert steepest <= found.upper <= 1.03 * steepest
    assert found.lower == pytest.approx(steepest, rel=1e-6)


def test_held_and_separate_changes_of_a_rollout(tiny_controller):
    controller = leaky(tiny_controller, [1.0, 0.0])
    # a_2 = (a_1 + tanh(x_2)) / 2: derivatives 1/4 and 1/2 at zero.
    rows = np.zeros((2, 2))
    each = lipschitz_bracket(controller, rows, np.zeros(1), 0.02, 1e-4)
    held = lipschitz_bracket(controller, rows, np.zeros(1), 0.02, 1e-4, held=True)
    assert each.upper == pytest.approx(np.hypot(0.25, 0.5), rel=1e-6)
    assert held.upper == pytest.approx(0.75, rel=1e-6)


def test_entries_are_the_derivatives_of_the_reference(tiny_controller, steps):
    controller = tiny_controller()
    asked = steps_visited(controller, steps, 1, 40, seed=0)
    found = lipschitz_brackets(controller, asked, 1e-7, budget=1)
    wide = dataclasses.replace(
        controller, actions=(dataclasses.replace(controller.actions[0], low=-9, high=9),)
    )
    batch = ReferenceBatch(wide)
    for reading in range(2):
        ends = []
        for side in (1e-6, -1e-6):
            batch.state = asked.state
            moved = asked.observation[:, 0].copy()
            moved[:, reading] += side
            raw = controller.normalizer.offset + controller.normalizer.scale * moved
            ends.append(batch.step(raw, asked.dt_s[:, 0]))
        derivative = np.abs(ends[0] - ends[1])[:, 0] / 2e-6
        np.testing.assert_allclose(found.entries[:, 0, reading], derivative, rtol=1e-4, atol=1e-7)
        np.testing.assert_allclose(found.entries_lower[:, 0, reading], derivative, rtol=1e-4, atol=1e-7)
    assert (found.lower <= found.upper).all()


def test_brackets_of_the_sizes_that_are_promised(tiny_controller, steps):
    controller = tiny_controller()
    asked = steps_visited(controller, steps, 1, 5, seed=0)
    spread = np.full(8, 0.1)
    for radius, most in ((0.01, 1.5), (0.05, 3.0)):
        assert lipschitz_brackets(controller, asked, radius).ratio.max() < most
        near = lipschitz_brackets(controller, asked, radius, state_radius=radius * spread)
        assert near.ratio.max() < most


def test_a_greater_budget_and_a_smaller_box_bound_no_more(tiny_controller, steps):
    controller = tiny_controller()
    asked = steps_visited(controller, steps, 1, 3, seed=0)
    one = lipschitz_brackets(controller, asked, 0.2, budget=1)
    many = lipschitz_brackets(controller, asked, 0.2, budget=32)
    small = lipschitz_brackets(controller, asked, 0.1, budget=32)
    assert (many.upper <= one.upper).all()
    assert many.upper.sum() < 0.95 * one.upper.sum()
    assert (small.upper <= many.upper * 1.02).all()


def test_nothing_changes_beyond_the_clip_and_half_of_it_across(tiny_controller):
    controller = leaky(tiny_controller, [0.1, 0.1])
    beyond = lipschitz_bracket(controller, np.array([4.5, -4.5]), np.zeros(1), 0.02, 0.4)
    assert (beyond.upper, beyond.lower, beyond.ratio) == (0.0, 0.0, 1.0)
    across = lipschitz_bracket(controller, np.array([4.0, 0.0]), np.zeros(1), 0.02, 0.4)
    inside = lipschitz_bracket(controller, np.array([3.5, 0.0]), np.zeros(1), 0.02, 0.4)
    assert 0.05 < across.lower <= across.upper <= 1.1 * inside.upper


def test_visited_steps_in_a_row_are_of_one_episode(tiny_controller, steps):
    controller = tiny_controller()
    found = steps_visited(controller, steps, 3, 1000, seed=0)
    assert len(found.state) == 11 * 2
    scaled = (steps.observation - controller.normalizer.offset) / controller.normalizer.scale
    for row, state in zip(found.observation, found.state, strict=True):
        episode, first = np.argwhere((steps.state == state).all(axis=2))[0]
        if first:
            np.testing.assert_array_equal(row, scaled[episode, first : first + 3])
    with pytest.raises(InputError, match="no episode or window has 5 steps"):
        steps_visited(controller, steps, 5, 10, seed=0)


@pytest.mark.parametrize("radius", [0.0, -0.1, np.inf, np.nan])
def test_radii_that_are_none(tiny_controller, radius):
    with pytest.raises(InputError, match="radius"):
        lipschitz_bracket(tiny_controller(), np.zeros(2), np.zeros(8), 0.02, radius)


def test_budgets_and_states_that_are_none(tiny_controller):
    controller = tiny_controller()
    asked = steps_of(controller, np.zeros((1, 1, 2)), np.zeros((1, 8)), np.full((1, 1), 0.02))
    with pytest.raises(InputError, match="budget 0"):
        lipschitz_brackets(controller, asked, 0.1, budget=0)
    with pytest.raises(InputError, match="state radii"):
        lipschitz_brackets(controller, asked, 0.1, state_radius=np.full(8, -1.0))
