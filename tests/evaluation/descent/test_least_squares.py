"""Closed forms against theory and brute force."""

import numpy as np
import pytest

from ltc_edge.evaluation.descent.least_squares import PENALTIES, minimum_norm, ridge

SIGMA, SIGNAL = 0.5, 1.0
ROWS = 20


@pytest.mark.parametrize("columns", [5, 12, 30, 80])
def test_the_risk_of_linear_gaussian_features_is_that_of_theory(columns):
    """Hastie, Montanari, Rosset and Tibshirani 2022, theorem 1, whose limits are exact at finite sizes too.

    With white features the excess risk is ``σ² p / (n − p − 1)`` below the threshold, and
    ``r² (1 − n/p) + σ² n / (p − n − 1)`` above it (means of inverse Wishart matrices).
    """
    rng = np.random.default_rng(columns)
    risks = []
    for _ in range(600):
        truth = rng.standard_normal((columns, 1))
        truth *= SIGNAL / np.linalg.norm(truth)
        seen = rng.standard_normal((ROWS, columns))
        labels = seen @ truth + SIGMA * rng.standard_normal((ROWS, 1))
        risks.append(np.sum((minimum_norm(seen, labels) - truth) ** 2))
    if columns < ROWS:
        theory = SIGMA**2 * columns / (ROWS - columns - 1)
    else:
        theory = SIGNAL**2 * (1 - ROWS / columns) + SIGMA**2 * ROWS / (columns - ROWS - 1)
    error = np.std(risks) / np.sqrt(len(risks))
    assert abs(np.mean(risks) - theory) < 4 * error
    assert error < 0.08 * theory


def test_no_interpolating_weights_are_shorter(rng):
    seen, labels = rng.standard_normal((6, 15)), rng.standard_normal((6, 2))
    weights = minimum_norm(seen, labels)
    np.testing.assert_allclose(seen @ weights, labels, atol=1e-12)
    null = np.linalg.svd(seen)[2][6:]
    others = weights + null.T @ rng.standard_normal((9, 2))
    np.testing.assert_allclose(seen @ others, labels, atol=1e-12)
    assert (np.linalg.norm(weights, axis=0) < np.linalg.norm(others, axis=0)).all()


@pytest.mark.parametrize("columns", [4, 20])
def test_the_penalty_is_the_one_that_leaving_out_each_row_in_turn_would_choose(rng, columns):
    seen = rng.standard_normal((10, columns))
    labels = seen[:, :1] + rng.standard_normal((10, 1))
    mean_square = np.mean(np.linalg.svd(seen, compute_uv=False) ** 2)

    def weights(rows, penalty):
        gram = seen[rows].T @ seen[rows] + penalty * mean_square * np.eye(columns)
        return np.linalg.solve(gram, seen[rows].T @ labels[rows])

    def left_out(penalty):
        misses = [labels[row] - seen[row] @ weights(np.arange(10) != row, penalty) for row in range(10)]
        return np.mean(np.square(misses))

    sensible = [penalty for penalty in PENALTIES if penalty > 1e-8]  # brute force is too inexact below
    best = min(sensible, key=left_out)
    np.testing.assert_allclose(ridge(seen, labels), weights(np.arange(10) >= 0, best), rtol=1e-6, atol=1e-9)


@pytest.fixture
def rng():
    return np.random.default_rng(3)
