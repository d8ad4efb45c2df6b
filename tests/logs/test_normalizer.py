from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ltc_edge.errors import RecordingError
from ltc_edge.logs.normalizer import fit_normalizer

_TABLES = hnp.arrays(np.float64, st.tuples(st.integers(1, 30), st.just(2)), elements=st.floats(-1e6, 1e6))


@given(st.lists(_TABLES, min_size=1, max_size=3))
def test_fits_over_the_rows_of_all_parts(parts):
    normalizer = fit_normalizer(parts, ["a", "b"])
    rows = np.concatenate(parts)
    np.testing.assert_allclose(normalizer.mean, rows.mean(axis=0))
    assert (normalizer.scale > 0).all()
    np.testing.assert_allclose(normalizer.invert(normalizer.apply(rows)), rows, rtol=1e-9, atol=1e-6)


def test_a_varying_column_gets_unit_deviation_and_a_constant_one_scale_one():
    rows = np.column_stack([np.random.default_rng(0).normal(3, 5, 100), np.full(100, 0.1)])
    normalizer = fit_normalizer([rows], ["a", "b"])
    assert normalizer.scale[1] == 1.0
    assert normalizer.apply(rows)[:, 0].std() == pytest.approx(1.0)
    np.testing.assert_allclose(normalizer.apply(rows)[:, 1], 0.0, atol=1e-12)


def test_values_too_large_to_square_are_refused():
    with pytest.raises(RecordingError, match="column 'b' holds values too large"):
        fit_normalizer([np.array([[0.0, 1e300], [1.0, -1e300]])], ["a", "b"])
