from __future__ import annotations

import pytest

from ltc_edge.errors import RecordingError
from ltc_edge.logs.columns import select_columns

_AVAILABLE = ["t", "q0", "q1", "q2", "a:b"]


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [
        ("q1", ("q1",)),
        (" q2 , t ", ("q2", "t")),
        ("q0:q2", ("q0", "q1", "q2")),
        ("q1:q1", ("q1",)),
        ("t,q1:q2", ("t", "q1", "q2")),
        ("a:b", ("a:b",)),
        (["q0", "q1:q2"], ("q0", "q1", "q2")),
    ],
)
def test_names_lists_and_inclusive_ranges(wanted, chosen):
    assert select_columns(wanted, _AVAILABLE, "log.csv") == chosen


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ("", "no column was chosen. Columns: t, q0"),
        (",", "no column was chosen"),
        ("q3", r"log.csv: has no column 'q3'. Did you mean 'q"),
        ("q0:q9", "no column 'q9'"),
        ("q2:q0", "runs backwards. Write it as q0:q2"),
        ("q0:q2,q1", "column 'q1' is chosen twice"),
    ],
)
def test_unusable_choices_are_refused(wanted, message):
    with pytest.raises(RecordingError, match=message):
        select_columns(wanted, _AVAILABLE, "log.csv")


def test_long_listings_are_cut():
    with pytest.raises(RecordingError, match="c19 and 80 more"):
        select_columns("x", [f"c{index}" for index in range(100)], "log.npy")
