"""What is held out is never trained on, nor beside what is."""

import numpy as np
import pytest

from ltc_edge.errors import RecordingError
from ltc_edge.evaluation.sizing.folds import make_folds
from ltc_edge.logs import Segment


def segment(source, rows, first=0):
    values = np.arange(first, first + rows, dtype=float)[:, None]
    return Segment(source, first, values, values, np.ones(rows), np.ones(rows, dtype=bool))


def rows_of(segments):
    return {(each.source, int(row)) for each in segments for row in each.inputs[:, 0]}


def test_recordings_are_held_out_whole_once_each_in_parts_of_like_size():
    segments = [segment(name, rows) for name, rows in zip("abcdef", (90, 50, 40, 30, 20, 10), strict=True)]
    found = make_folds(segments, 3, window=5, apart=7)
    assert found.by_recording
    held_out = [{each.source for each in fold.held_out} for fold in found.folds]
    assert sorted(name for names in held_out for name in names) == list("abcdef")
    assert [sum(each.rows for each in fold.held_out) for fold in found.folds] == [90, 80, 70]
    for fold, names in zip(found.folds, held_out, strict=True):
        assert {each.source for each in fold.train} == set("abcdef") - names


@pytest.mark.parametrize(
    "pieces", [[("a", 100, 0)], [("a", 80, 0), ("a", 40, 100)], [("a", 90, 0), ("b", 60, 0)]]
)
def test_a_recording_is_held_out_in_stretches_with_gaps_beside_them(pieces):
    segments = [segment(*piece) for piece in pieces]
    found = make_folds(segments, 3, window=4, apart=6)
    assert not found.by_recording
    seen = set()
    for fold in found.folds:
        held_out, train = rows_of(fold.held_out), rows_of(fold.train)
        assert not seen & held_out
        seen |= held_out
        for source, row in train:
            assert not any((source, row + shift) in held_out for shift in range(-6, 7))
        for each in (*fold.train, *fold.held_out):
            assert each.rows >= 4
            assert each.first_row == each.inputs[0, 0]
            assert len(each.targets) == len(each.dt_s) == len(each.scored) == each.rows
    assert seen == rows_of(segments)


def test_too_few_rows_for_folds_are_refused():
    with pytest.raises(RecordingError, match="20 rows are too few for 3 folds of windows of 8"):
        make_folds([segment("a", 20)], 3, window=8, apart=8)
    with pytest.raises(RecordingError, match="too few for 2 folds"):
        make_folds([segment("a", 30), segment("b", 5)], 2, window=8, apart=8)
