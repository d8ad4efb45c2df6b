"""The published estimators against their formulas, and the calibration against samples of spheres."""

import numpy as np
import pytest

from ltc_edge.evaluation.sizing.autocorrelation import Memory
from ltc_edge.evaluation.sizing.calibration import Calibration
from ltc_edge.evaluation.sizing.estimators import mle, neighbour_ratios, participation_ratio, two_nn
from ltc_edge.evaluation.sizing.neighbours import candidates, log_distances
from ltc_edge.evaluation.sizing.points import Points, draw_points


@pytest.fixture(scope="module")
def points(manifold):
    sample = manifold("cube", 3, rows=200, columns=5)
    return draw_points([sample], Memory(np.ones(5), np.ones(5, dtype=bool)))


@pytest.fixture(scope="module")
def distances(points):
    difference = points.values[:, None] - points.values[None]
    found = np.sqrt((difference**2).sum(axis=2))
    np.fill_diagonal(found, np.inf)
    return np.sort(found, axis=1)


def test_distances_are_those_of_the_definition(points, distances):
    np.testing.assert_allclose(log_distances(points, 20), np.log(distances[:, :20]), rtol=1e-12)
    assert candidates(points) == 199


def test_two_nn_is_the_maximum_of_its_likelihood(points, distances):
    mu = distances[:, 1] / distances[:, 0]
    grid = np.linspace(0.5, 8.0, 7501)
    # Facco et al. (2017): the density of μ is d·μ^(−d−1).
    likelihood = len(mu) * np.log(grid) - (grid + 1) * np.log(mu).sum()
    assert two_nn(log_distances(points, 2)) == pytest.approx(grid[likelihood.argmax()], abs=1e-3)


def test_the_mle_is_the_harmonic_mean_of_levina_and_bickels(points, distances):
    k = 10
    local = [(k - 1) / sum(np.log(row[k - 1] / row[j]) for j in range(k - 1)) for row in distances]
    assert mle(log_distances(points, k), k) == pytest.approx(1 / np.mean([1 / each for each in local]))


def test_the_participation_ratio_is_that_of_the_eigenvalues(points):
    eigenvalues = np.linalg.eigvalsh(np.cov(points.values.T))
    expected = eigenvalues.sum() ** 2 / (eigenvalues**2).sum()
    assert participation_ratio(points.values) == pytest.approx(expected)
    doubled = np.where(np.arange(len(points)) < 50, 2.0, 1.0)
    repeated = np.concatenate([points.values, points.values[:50]])
    assert participation_ratio(points.values, doubled / doubled.sum()) == pytest.approx(
        participation_ratio(repeated)
    )


def test_neighbours_of_one_recording_are_apart_in_time():
    rng = np.random.default_rng(0)
    points = Points(
        rng.standard_normal((60, 2)), np.repeat([0, 1], 30), np.tile(np.arange(30), 2), 5, 60, 0.0
    )
    found = np.exp(log_distances(points, 1))[:, 0]
    for index in range(60):
        allowed = (points.segment != points.segment[index]) | (np.abs(points.row - points.row[index]) >= 5)
        nearest = np.linalg.norm(points.values[allowed] - points.values[index], axis=1).min()
        assert found[index] == pytest.approx(nearest)
    others = [
        np.sum((points.segment != points.segment[i]) | (np.abs(points.row - points.row[i]) >= 5))
        for i in range(60)
    ]
    assert candidates(points) == pytest.approx(np.mean(others))


@pytest.mark.parametrize("dimension", [1, 4, 12])
def test_the_calibration_undoes_what_few_points_of_a_sphere_do_to_the_estimate(manifold, dimension):
    orders = (1, 8, 32)
    ratios = []
    for seed in range(4):
        sample = manifold("sphere", dimension, rows=400, columns=dimension + 1, seed=seed)
        values = sample * np.sqrt(dimension + 1)  # on the sphere itself, not standardised
        points = Points(values, np.zeros(400, int), np.arange(400), 1, 400, 0.0)
        log_r = log_distances(points, 64)
        ratios.append([neighbour_ratios(log_r, k).mean() for k in orders])
    found = Calibration(orders, 399).dimension(np.mean(ratios, axis=0))
    np.testing.assert_allclose(found, dimension, rtol=0.06)
