"""How long signals remember, against what is known of them."""

import numpy as np
import pytest

from ltc_edge.evaluation.sizing.autocorrelation import autocorrelation, independent_rows, memory_of


def autoregression(phi, rows, seed, columns=1):
    values = np.random.default_rng(seed).standard_normal((rows + 500, columns))
    for row in range(1, len(values)):
        values[row] += phi * values[row - 1]
    return values[500:]


@pytest.mark.parametrize("phi", [0.0, 0.5, 0.9, 0.97])
def test_an_autoregression_remembers_as_long_as_analysis_says(phi):
    memory = memory_of([autoregression(phi, 20_000, 0)])
    assert memory.longest == pytest.approx((1 + phi) / (1 - phi), rel=0.15)
    assert memory.all_resolved


def test_an_alternating_autoregression_has_the_time_of_its_variance():
    memory = memory_of([autoregression(-0.8, 10_000, 0)])
    assert memory.longest == pytest.approx((1 + 0.64) / (1 - 0.64), rel=0.15)


def test_the_autocorrelation_is_that_of_the_definition_over_all_pairs_of_a_segment():
    rng = np.random.default_rng(3)
    segments = [rng.standard_normal((rows, 2)).cumsum(axis=0) for rows in (40, 23)]
    values = np.concatenate(segments)
    z = [(segment - values.mean(axis=0)) / values.std(axis=0) for segment in segments]
    found = autocorrelation(segments)
    for lag in (0, 1, 7, 20):
        pairs = np.concatenate([each[: len(each) - lag] * each[lag:] for each in z if len(each) > lag])
        np.testing.assert_allclose(found[lag], pairs.mean(axis=0), rtol=1e-10, atol=1e-12)


def test_memory_knows_no_scale_and_no_order_of_segments():
    segments = [autoregression(0.8, 3000, seed, columns=2) for seed in range(3)]
    reference = memory_of(segments).rows
    changed = memory_of([segment * [1e6, 1e-6] + [5.0, -3.0] for segment in segments[::-1]]).rows
    np.testing.assert_allclose(changed, reference, rtol=1e-9)


def test_many_short_recordings_remember_as_one_long_does():
    long = autoregression(0.8, 20_000, 1)
    assert memory_of(np.split(long, 100)).longest == pytest.approx(memory_of([long]).longest, rel=0.15)


def test_what_never_changes_says_nothing_and_what_never_forgets_is_not_resolved():
    ramp = np.linspace(0.0, 1.0, 400)
    memory = memory_of([np.column_stack([np.full(400, 0.1), ramp])])
    assert memory.rows[0] == 1.0
    assert memory.slowest == 1
    assert memory.resolved.tolist() == [True, False]


def test_every_recording_is_worth_one_row_at_least():
    assert independent_rows([100, 50], 10.0) == 15.0
    assert independent_rows([100, 5], 10.0) == 11.0
    assert independent_rows([7], 1.0) == 7.0
