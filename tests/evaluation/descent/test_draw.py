"""Windows and wrong labels of a seed."""

import numpy as np
import pytest

from ltc_edge.errors import InputError
from ltc_edge.evaluation.descent.draw import corrupt_labels, draw


@pytest.mark.parametrize("classes", [None, 2, 5])
def test_exactly_the_share_is_wrong_and_greater_shares_contain_smaller_ones(classes):
    rng = np.random.default_rng(0)
    labels = rng.standard_normal((50, 3)) if classes is None else rng.integers(0, classes, 50)
    before = np.zeros(50, dtype=bool)
    previous = labels
    for share in (0.0, 0.2, 0.5, 1.0):
        corrupted = corrupt_labels(labels, share, classes, seed=4)
        wrong = (corrupted != labels).reshape(50, -1).any(axis=1)
        assert wrong.sum() == round(50 * share)
        assert (wrong[before]).all()
        np.testing.assert_array_equal(corrupted[before], previous[before])
        if classes is None:  # whole labels of other windows
            assert all((labels == row).all(axis=1).any() for row in corrupted)
        else:
            assert corrupted.min() >= 0
            assert corrupted.max() < classes
        before, previous = wrong, corrupted


def test_wrong_labels_are_spread_evenly():
    labels = np.zeros(9000, dtype=np.int64)
    counts = np.bincount(corrupt_labels(labels, 1.0, 4, seed=1), minlength=4)
    assert counts[0] == 0
    assert (abs(counts[1:] - 3000) < 200).all()


def test_label_noise_is_what_the_labels_themselves_are_off_by(noise):
    clean = draw(noise, 200, 0.0, seed=2)
    assert clean.label_noise == 0.0
    noisy = draw(noise, 200, 0.2, seed=2)
    np.testing.assert_array_equal(noisy.train.inputs, clean.train.inputs)
    # Of independent labels of unit variance, 20 % are off by √2 of it.
    assert noisy.label_noise == pytest.approx(0.4, rel=0.35)
    other = draw(noise, 200, 0.2, seed=3)
    assert not np.array_equal(other.train.inputs, noisy.train.inputs)


def test_too_few_windows_are_refused(noise):
    with pytest.raises(InputError, match="there are 400 training windows of 6 rows, not 401; ask for fewer"):
        draw(noise, 401, 0.0, seed=0)
