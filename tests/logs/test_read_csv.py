from __future__ import annotations

import numpy as np
import pytest

from ltc_edge.errors import RecordingError
from ltc_edge.logs import column_names, read_recording


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_round_trip_with_each_delimiter(csv_file, delimiter):
    values = np.random.default_rng(0).normal(size=(20, 3))
    rows = [["a", "b", "c d"], *[[repr(float(x)) for x in row] for row in values]]
    path = csv_file("\n".join(delimiter.join(row) for row in rows) + "\n")

    recording = read_recording(path)

    assert recording.source == str(path)
    assert recording.names == ("a", "b", "c d")
    assert recording.time_s is None
    np.testing.assert_array_equal(recording.values, values)


def test_columns_come_in_the_order_asked_for(csv_file):
    path = csv_file("a,b,c\n1,2,3\n4,5,6\n")
    recording = read_recording(path, ["c", "a"])
    assert recording.names == ("c", "a")
    np.testing.assert_array_equal(recording.values, [[3, 1], [6, 4]])


def test_unnamed_index_column_is_dropped(csv_file):
    path = csv_file(",a,b\n0,1,2\n1,3,4\n")
    assert column_names(path) == ("a", "b")
    np.testing.assert_array_equal(read_recording(path).values, [[1, 2], [3, 4]])


def test_row_number_of_write_table_is_dropped(csv_file):
    path = csv_file(
        '"date","T","Y"\n"7","2015-02-02 14:19:00",23.7,1\n"8","2015-02-02 14:19:59",23.5,0\n', "log.txt"
    )
    recording = read_recording(path, time="date")
    assert recording.names == ("T", "Y")
    np.testing.assert_array_equal(recording.values, [[23.7, 1], [23.5, 0]])
    np.testing.assert_array_equal(recording.time_s, [0, 59])


@pytest.mark.parametrize(
    ("stamps", "seconds"),
    [
        (("5.5", "7.5"), [0, 2]),
        (("2026-01-31T23:59:59.5", "2026-02-01T00:00:01"), [0, 1.5]),
        (("2026-01-31T12:00:00Z", "2026-01-31T14:00:01+02:00"), [0, 1]),
        (("2026-01-31", "2026-02-01"), [0, 86400]),
    ],
)
def test_time_in_seconds_or_timestamps(csv_file, stamps, seconds):
    path = csv_file(f"t,a\n{stamps[0]},1\n{stamps[1]},2\n")
    recording = read_recording(path, ["a"], time="t")
    np.testing.assert_allclose(recording.time_s, seconds)


def test_row_names_may_be_words(csv_file):
    path = csv_file("a,b\nfirst,1,2\nsecond,3,4\n")
    np.testing.assert_array_equal(read_recording(path).values, [[1, 2], [3, 4]])


def test_a_delimiter_at_the_end_of_every_line_is_harmless(csv_file):
    path = csv_file("a,b,\n1,2,\n3,4,\n")
    np.testing.assert_array_equal(read_recording(path).values, [[1, 2], [3, 4]])


def test_columns_may_be_named_in_one_text(csv_file):
    path = csv_file("a,b,c\n1,2,3\n4,5,6\n")
    assert read_recording(path, "b:c").names == ("b", "c")


@pytest.mark.parametrize(
    ("columns", "message"), [([], "no column was chosen"), (["a", "a"], "column 'a' is chosen twice")]
)
def test_unusable_choices_are_refused(csv_file, columns, message):
    with pytest.raises(RecordingError, match=message):
        read_recording(csv_file("a,b\n1,2\n3,4\n"), columns)


def test_quotes_byte_order_mark_and_empty_lines(csv_file):
    path = csv_file('\ufeff"a, left", b\n\n"1",2\n\n 3 , 4\n\n')
    recording = read_recording(path)
    assert recording.names == ("a, left", "b")
    np.testing.assert_array_equal(recording.values, [[1, 2], [3, 4]])


def test_text_columns_are_left_out_of_all_columns(csv_file):
    path = csv_file("a,who\n1,x\n2,y\n")
    assert read_recording(path).names == ("a",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"log.csv: is empty"),
        ("\n\n", r"log.csv: is empty"),
        ("1,2\n3,4\n", r"log.csv:1: holds numbers where the column names belong"),
        ("a,b\n", r"holds no row of data"),
        ("a,b\n1,2\n", r"holds a single row of data"),
        ("a,b\n1,2\n3,x\n", r"log.csv:3: column 'b' holds 'x', not a number"),
        ("a;b\n1;2\n3;4,5\n", r"log.csv:3: column 'b' holds '4,5'.*Use '.' as the decimal mark"),
        ("a,b\n1,2\n\n3,\n", r"log.csv:4: column 'b' is empty"),
        ("a,b\n1,2\nnan,4\n", r"log.csv:3: column 'a' is nan"),
        ("a,b\n1,2\n3,-inf\n", r"log.csv:3: column 'b' is -inf"),
        ("a,b\n1,2\n3,4,5\n", r"log.csv:3: has 3 fields where 2 belong"),
        ("a,b\n1,2,\n3,4,\n", r"log.csv:2: has 3 fields where 2 belong"),
        ("a,b\n0.5,1,2\n1.5,3,4\n", r"log.csv:2: has 3 fields where 2 belong"),
        ("a,b\n1\n", r"log.csv:2: has 1 fields where 2 belong"),
        ("a,a\n1,2\n3,4\n", r"two columns are called 'a'"),
        ("a,b\nx,y\nz,w\n", r"has no column of numbers"),
        ('a,b\n1,"2\n3,4\n', r"cannot be read as CSV"),
    ],
)
def test_unusable_text_is_one_clear_line(csv_file, text, message):
    with pytest.raises(RecordingError, match=message) as caught:
        read_recording(csv_file(text))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("times", "message"),
    [
        (("0", "1", "1"), r"log.csv:4: time repeats"),
        (("0", "2", "1"), r"log.csv:4: time runs backwards"),
        (("0", "nan", "1"), r"log.csv:3: the time is nan"),
        (("0", "noon", "1"), r"log.csv:3: time column 't' holds 'noon'"),
        (("2026-01-01", "noon", "1"), r"log.csv:3: time column 't' holds 'noon'.*ISO 8601"),
        (("-1e308", "0", "1.7e308"), r"spans more than a number can hold"),
    ],
)
def test_unusable_time_is_one_clear_line(csv_file, times, message):
    path = csv_file("t,a\n" + "".join(f"{time},1\n" for time in times))
    with pytest.raises(RecordingError, match=message):
        read_recording(path, ["a"], time="t")


def test_text_that_is_not_utf8_is_refused(tmp_path):
    path = tmp_path / "log.csv"
    path.write_bytes(b"a,b\n1,2\n\xff\xfe,3\n")
    with pytest.raises(RecordingError, match="cannot be read as CSV"):
        read_recording(path)


def test_missing_column_suggests_the_nearest(csv_file):
    path = csv_file("velocity,torque\n1,2\n3,4\n")
    with pytest.raises(
        RecordingError, match=r"no column 'velocty'. Did you mean 'velocity'\? Columns: velocity, torque"
    ):
        read_recording(path, ["velocty"])
    with pytest.raises(RecordingError, match="no column 'stamp'"):
        read_recording(path, ["torque"], time="stamp")
