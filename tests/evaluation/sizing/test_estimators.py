"""The published estimators against their formulas, and the calibration against samples of spheres and of
products of circles.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ltc_edge.evaluation.sizing.autocorrelation import Memory
from ltc_edge.evaluation.sizing.calibration import Calibration
from ltc_edge.evaluation.sizing.circles import log_distance_quantiles
from ltc_edge.evaluation.sizing.estimators import mle, neighbour_ratios, participation_ratio, two_nn
from ltc_edge.evaluation.sizing.neighbours import candidates, log_distances
from ltc_edge.evaluation.sizing.points import Points, draw_points

CALIBRATION = Calibration((1, 8, 32), 399.0)


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


@pytest.mark.parametrize(
    ("name", "dimension"),
    [("sphere", 1), ("sphere", 4), ("sphere", 12), ("torus", 1), ("torus", 5), ("torus", 6)],
)
def test_the_calibration_undoes_what_few_points_do_to_the_estimate(manifold, name, dimension):
    """Both of spheres and of products of circles, which bend within twice as many directions."""
    orders, rows = ((1, 8, 32), 400) if name == "sphere" else ((1, 4, 8), 1000)
    ratios, participations = [], []
    for seed in range(4):
        sample = manifold(name, dimension, rows=rows, columns=2 * dimension, seed=seed)
        points = Points(sample, np.zeros(rows, int), np.arange(rows), 1, rows, 0.0)
        log_r = log_distances(points, 2 * orders[-1])
        ratios.append([neighbour_ratios(log_r, k).mean() for k in orders])
        participations.append(participation_ratio(sample))
    found = Calibration(orders, rows - 1).dimension(np.mean(ratios, axis=0), np.mean(participations))
    np.testing.assert_allclose(found, dimension, rtol=0.08)


def test_the_shares_of_circles_are_those_of_sampled_angles():
    angles = np.random.default_rng(0).uniform(0.0, 2.0 * np.pi, (200_000, 7))
    share = np.array([0.01, 0.03, 0.1, 0.25, 0.5])
    known = np.exp(log_distance_quantiles(share))
    for circles in (1, 2, 3, 7):
        distance = np.sqrt(2.0 * np.sum(1.0 - np.cos(angles[:, :circles]), axis=1))
        np.testing.assert_allclose(known[circles - 1], np.quantile(distance, share), rtol=0.02)


@given(
    ratio=st.floats(0.01, 5.0),
    participations=st.tuples(st.floats(1.0, 40.0), st.floats(1.0, 40.0)).map(sorted),
)
@settings(max_examples=50)
def test_more_bending_never_makes_a_dimension_larger(ratio, participations):
    found = CALIBRATION.dimension(np.full((2, 3), ratio), np.array(participations))
    assert np.isfinite(found).all()
    assert (found[1] <= found[0]).all()


def test_points_that_fill_no_more_directions_than_a_sphere_are_taken_for_one():
    ratio = np.array([[0.5, 0.1, 0.2], [0.05, 0.3, 0.08]])
    flat = CALIBRATION.dimension(ratio, np.array([1.0, 1.0]))
    assert (CALIBRATION.dimension(ratio, flat.min(axis=1)) == flat).all()
