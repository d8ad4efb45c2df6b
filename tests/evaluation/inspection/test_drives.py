"""Shares of drives: complete, as an independent quadrature has them, and none where there is no way."""

import dataclasses

import numpy as np
import pytest

from ltc_edge.evaluation.inspection.drives import COMPLETE, Drives, drives_of, situations_of, unlimited
from ltc_edge.evaluation.inspection.means import means_of
from ltc_edge.evaluation.inspection.parts import neurons_of, synapses_of
from ltc_edge.evaluation.inspection.removal import without_synapses
from ltc_edge.runtimes.reference import ReferenceBatch

pytest.importorskip("torch", reason="torch is not installed (extra: train)")


POINTS = 200


@pytest.mark.parametrize("name", ["ltc", "cfc-wired", "ctrnn", "lstm", "mixed"])
def test_shares_sum_up_and_are_those_of_finite_differences(controller_of, visited_of, name):
    controller = controller_of(name)
    visited = visited_of(controller)
    means = means_of(controller, visited)
    drives = drives_of(controller, visited, means)
    assert drives.gap < COMPLETE
    for shares in (drives.gradient_shares, drives.perturbed_shares):
        np.testing.assert_allclose(shares.sum(axis=0), 1.0)

    # Another rule than theirs: midpoints, and the slope along each source's whole window.
    seen, step = situations_of(visited, seed=0), 1e-5
    point = (np.arange(POINTS) + 0.5)[:, None, None] / POINTS
    way = seen.observation - means.observation, seen.state - means.state
    batch = ReferenceBatch(controller)

    def action(observation, state):
        batch.state = state.reshape(-1, state.shape[-1])
        for t in range(observation.shape[2]):
            last = batch.step(
                observation[:, :, t].reshape(-1, observation.shape[-1]), np.tile(seen.dt_s[:, t], POINTS)
            )
        return last[:, 0].reshape(POINTS, -1)

    for source in range(drives.gradients.shape[1]):
        along = way[0] * (np.arange(way[0].shape[2]) == source)
        along_state = way[1] * (source == way[0].shape[2])
        ends = [
            action(
                means.observation + point[..., None] * way[0] + s * along,
                means.state + point * way[1] + s * along_state,
            )
            for s in (step, -step)
        ]
        found = (ends[0] - ends[1]).mean(axis=0) / (2 * step)
        np.testing.assert_allclose(drives.gradients[:, source, 0], found, atol=2e-3)


def test_what_nothing_hears_drives_nothing(controller_of, visited_of):
    controller = controller_of("ltc")
    synapses = synapses_of(controller.cell)
    deaf = (synapses.source == 1) & (np.arange(len(synapses)) < synapses.sensory)
    controller = without_synapses(controller, deaf, np.full(len(synapses), 0.5))
    visited = visited_of(controller)
    drives = drives_of(controller, visited, means_of(controller, visited))
    assert drives.gradient_shares[1, 0] == drives.perturbed_shares[1, 0] == 0.0
    assert not drives.through[1].any()


def test_all_of_a_drive_goes_through_the_motor_neuron(controller_of, visited_of):
    controller = controller_of("ltc")
    visited = visited_of(controller)
    drives = drives_of(controller, visited, means_of(controller, visited))
    motor = [part.role == "motor" for part in neurons_of(controller)].index(True)
    np.testing.assert_allclose(drives.through[:, motor], 1.0)


def test_agreement_is_of_ranks():
    rng = np.random.default_rng(0)
    one = rng.normal(size=(40, 3, 2))
    drives = Drives(one, np.exp(one), one.sum(axis=1), np.zeros((2, 1)))
    np.testing.assert_allclose(drives.agreement, 1.0)
    assert np.abs(dataclasses.replace(drives, perturbed=rng.normal(size=one.shape)).agreement).max() < 0.4


def test_limits_do_not_hide_what_is_asked_for(controller_of):
    controller = controller_of("ltc")
    tight = dataclasses.replace(controller.actions[0], low=-1e-3, high=1e-3, slew=1e-3)
    limited = dataclasses.replace(controller, actions=(tight,))
    free = ReferenceBatch(unlimited(limited))
    free.reset(1)
    assert abs(float(free.step(np.ones((1, 3)), np.array([0.02]))[0, 0])) > 1e-3
