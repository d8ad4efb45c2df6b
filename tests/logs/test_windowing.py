from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ltc_edge.errors import RecordingError
from ltc_edge.logs import Segment, windows


def _segment(number, rows):
    """Inputs say segment and row, so that a window shows where it came from."""
    row = np.arange(rows, dtype=np.float64)
    inputs = np.stack([np.full(rows, number), row], axis=1)
    return Segment(f"log{number}", 0, inputs, row[:, None] + 0.5, row + 1)


@given(
    rows=st.lists(st.integers(1, 40), min_size=1, max_size=5),
    length=st.integers(1, 20),
    stride=st.integers(1, 25),
)
def test_windows_are_contiguous_rows_of_one_segment(rows, length, stride):
    segments = [_segment(number, count) for number, count in enumerate(rows)]
    if max(rows) < length:
        with pytest.raises(RecordingError, match="no window"):
            windows(segments, length, stride)
        return

    cut = windows(segments, length, stride)

    assert cut.inputs.shape == (len(cut), length, 2)
    assert cut.targets.shape == (len(cut), length, 1)
    assert cut.dt_s.shape == (len(cut), length)
    for window in cut.inputs:
        assert len(set(window[:, 0])) == 1
        np.testing.assert_array_equal(np.diff(window[:, 1]), 1)
    np.testing.assert_array_equal(cut.targets[..., 0], cut.inputs[..., 1] + 0.5)
    np.testing.assert_array_equal(cut.dt_s, cut.inputs[..., 1] + 1)
    assert len(cut) == sum((count - length) // stride + 1 for count in rows if count >= length)


def test_labels_keep_their_type():
    segment = Segment("log", 0, np.zeros((6, 2)), np.arange(6), np.ones(6))
    cut = windows([segment], 3, 3)
    assert cut.targets.dtype == np.int64
    np.testing.assert_array_equal(cut.targets, [[0, 1, 2], [3, 4, 5]])


@pytest.mark.parametrize(("length", "stride"), [(0, 1), (1, 0), (-1, 1)])
def test_impossible_windows_are_refused(length, stride):
    with pytest.raises(RecordingError, match="must be at least 1"):
        windows([_segment(0, 5)], length, stride)


def test_no_segments_give_no_window():
    with pytest.raises(RecordingError, match="longest run is 0 rows"):
        windows([], 2, 1)


def test_rows_that_count_are_cut_with_the_others():
    plain = _segment(0, 7)
    scored = np.arange(7) % 3 == 0
    some = Segment("log", 0, plain.inputs, plain.targets, plain.dt_s, scored)
    cut = windows([plain, some], 4, 3)
    np.testing.assert_array_equal(cut.scored, [[1] * 4, [1] * 4, scored[:4], scored[3:7]])
    none = Segment("log", 0, plain.inputs, plain.targets, plain.dt_s, np.zeros(7, dtype=bool))
    np.testing.assert_array_equal(windows([none, some], 4, 3).scored, [scored[:4], scored[3:7]])
