from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from ltc_edge.errors import RecordingError
from ltc_edge.logs import Segment, load_dataset, windows


def _rows_used(segment: Segment, lead: int) -> set[tuple[str, int]]:
    """Rows of the file that a segment shows to training, targets included."""
    return {(segment.source, segment.first_row + row) for row in range(segment.rows + lead)}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(
    rows=st.lists(st.integers(60, 150), min_size=1, max_size=4),
    length=st.integers(1, 8),
    gap=st.integers(0, 12),
    kind=st.sampled_from(["prediction", "regression"]),
    jumps=st.sets(st.integers(1, 59), max_size=4),
)
def test_no_row_is_in_two_splits_and_no_window_crosses_a_file_or_gap(
    tmp_path_factory, rows, length, gap, kind, jumps
):
    folder = tmp_path_factory.mktemp("logs")
    for number, count in enumerate(rows):
        row = np.arange(count, dtype=np.float64)
        time = row + 1000 * np.sum([row >= jump for jump in jumps], axis=0)
        np.save(folder / f"{number}.npy", np.stack([time, np.full(count, number), row, row], axis=1))
    try:
        data = load_dataset(
            f"{folder}/*.npy",
            "c1,c2",
            "c2" if kind == "prediction" else "c3",
            time="c0",
            kind=kind,
            window_length=length,
            stride=1,
            gap=gap,
        )
    except RecordingError as error:
        # Jumps in time may leave a split without a run as long as a window.
        assume("no window" not in str(error))
        raise

    lead = 1 if kind == "prediction" else 0
    used = {
        name: set().union(*(_rows_used(segment, lead) for segment in split.segments))
        for name, split in data.splits.items()
    }
    for first, second in (("train", "validation"), ("validation", "test"), ("train", "test")):
        assert not used[first] & used[second]
        for source, row in used[first]:
            assert len(rows) >= 3 or not {(source, row + step) for step in range(1, gap + 1)} & used[second]

    for split in data.splits.values():
        if all(segment.rows < length for segment in split.segments):
            continue
        cut = windows(split.segments, length, 1)
        for window, target in zip(cut.inputs, cut.targets, strict=True):
            assert len(set(window[:, 0])) == 1
            np.testing.assert_array_equal(np.diff(window[:, 1]), 1)
            np.testing.assert_array_equal(target[:, 0], window[:, 1] + lead)
            assert not any(window[0, 1] < jump <= window[-1, 1] + lead for jump in jumps)
        np.testing.assert_array_equal(cut.dt_s, 1.0)


def test_one_file_is_cut_into_blocks(npy_files):
    (path,) = npy_files(500)
    data = load_dataset(str(path), "c0,c1", "c2", window_length=10)
    spans = [(split.segments[0].first_row, split.rows) for split in data.splits.values()]
    assert spans == [(0, 288), (298, 96), (404, 96)]
    assert data.kind == "regression"
    assert data.metric == "mse"
    assert data.stride == 5
    assert data.evaluation_stride == 10


def test_several_files_are_split_by_file(npy_files):
    paths = [str(path) for path in npy_files(*[50] * 5)]
    data = load_dataset(paths, "c0:c2", "c0:c2")
    assert data.kind == "prediction"
    assert (data.train.sources, data.validation.sources, data.test.sources) == (
        tuple(paths[:3]),
        (paths[3],),
        (paths[4],),
    )
    stored = np.load(paths[0])
    np.testing.assert_array_equal(data.train.segments[0].inputs, stored[:-1])
    np.testing.assert_array_equal(data.train.segments[0].targets, stored[1:])


def test_given_files_are_used_whole(npy_files):
    train, validation, test = (str(path) for path in npy_files(40, 40, 40))
    data = load_dataset(train, "c0", "c2", validation=[validation], test=test)
    assert [split.rows for split in data.splits.values()] == [40, 40, 40]
    data = load_dataset([train, validation], "c0", "c2", test=test, window_length=4)
    assert data.test.sources == (test,)
    assert data.validation.sources == (train, validation)


def test_normalisers_see_the_training_split_alone(tmp_path):
    rng = np.random.default_rng(0)
    for name, scale in (("train", 1.0), ("validation", 100.0), ("test", 1e4)):
        np.save(tmp_path / f"{name}.npy", rng.normal(scale, scale, size=(60, 2)))
    data = load_dataset(
        f"{tmp_path}/train.npy",
        "c0",
        "c1",
        validation=f"{tmp_path}/validation.npy",
        test=f"{tmp_path}/test.npy",
    )
    train = np.load(tmp_path / "train.npy")
    np.testing.assert_allclose(data.input_normalizer.mean, train[:, 0].mean())
    np.testing.assert_allclose(data.input_normalizer.scale, train[:, 0].std())
    assert data.target_normalizer is not None
    np.testing.assert_allclose(data.target_normalizer.mean, train[:, 1].mean())


def test_seconds_between_rows_and_gaps_in_time(csv_file):
    times = [0, 1, 2.5, 3.5, 100, 101, 102, 103.5, 104.5, 105.5]
    path = csv_file("t,a,b\n" + "".join(f"{time},{row},0\n" for row, time in enumerate(times)))
    other = csv_file("t,a,b\n0,1,1\n1,2,1\n2,3,1\n", "other.csv")
    last = csv_file("t,a,b\n0,1,1\n1,2,1\n2,3,1\n", "test.csv")
    data = load_dataset(str(path), "a", "b", time="t", validation=str(other), test=str(last), window_length=2)
    assert [segment.first_row for segment in data.train.segments] == [0, 4]
    np.testing.assert_array_equal(data.train.segments[0].dt_s, [1, 1, 1.5, 1])
    np.testing.assert_array_equal(data.train.segments[1].dt_s, [1, 1, 1, 1.5, 1, 1])
    assert data.period_s == 1.0
    assert data.dt_range_s == (1.0, 1.5)
    assert data.notes == (f"{path}: 1 gap in time of more than 10 median periods split it (before row 5).",)


def test_files_without_time_take_the_period_or_say_what_was_assumed(npy_files):
    (path,) = npy_files(300)
    assert load_dataset(str(path), "c0", "c2", period_s=0.02).period_s == 0.02
    assert load_dataset(str(path), "c0", "c2", period_s=0.02).notes == ()
    assumed = load_dataset(str(path), "c0", "c2")
    assert assumed.period_s == 1.0
    assert "carry no time" in assumed.notes[0]


def test_classes_are_found_in_the_training_split(csv_file):
    rows = "".join(f"{row},{7 if row % 3 else -2}\n" for row in range(300))
    data = load_dataset(str(csv_file("a,y\n" + rows)), "a", "y", kind="classification")
    assert data.classes == (-2, 7)
    assert data.outputs == 2
    assert data.target_normalizer is None
    assert data.metric == "accuracy"
    labels = data.train.segments[0].targets
    assert labels.dtype == np.int64
    np.testing.assert_array_equal(labels[:4], [0, 1, 1, 0])


@pytest.mark.parametrize(
    ("label", "message"),
    [
        (lambda _: 0, r"the one label 0 in the training split"),
        (lambda row: row / 2, r"row 2: label column 'y' holds 0.5, not a whole number"),
        (lambda row: (row % 2) + 3 * (row > 290), r"row 292: label 4 of column 'y' does not occur"),
        (lambda row: row, r"does not occur in the training split"),
    ],
)
def test_unusable_labels_are_refused(csv_file, label, message):
    path = csv_file("a,y\n" + "".join(f"{row},{label(row)}\n" for row in range(300)))
    with pytest.raises(RecordingError, match=message):
        load_dataset(str(path), "a", "y", kind="classification")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "regression", "targets": "c0"}, "'c0' is both input and target"),
        ({"kind": "classification", "targets": "c1,c2"}, "one label column, not 2"),
        ({"kind": "ranking"}, "'ranking' is not a kind of target"),
        ({"window_length": 0}, "must be at least 1"),
        ({"stride": 0}, "must be at least 1"),
        ({"gap": -1}, "a gap of -1 rows"),
        ({"period_s": 0.0}, "a period of 0.0 s is impossible"),
        ({"period_s": float("nan")}, "is impossible"),
        ({"period_s": 1.0, "time": "c1"}, "both a time column and a period"),
        ({"inputs": "c9"}, "no column 'c9'"),
        ({"targets": ""}, "no column was chosen"),
        ({"window_length": 150}, "too few to be cut into train, validation, test"),
        ({"window_length": 60, "gap": 0}, "no window of 60 rows fits the validation split"),
        ({"test": "nowhere/*.npy"}, "--test nowhere"),
    ],
)
def test_unusable_options_are_one_clear_line(npy_files, options, message):
    (path,) = npy_files(250)
    arguments = {"inputs": "c0", "targets": "c2", **options}
    with pytest.raises(RecordingError, match=message) as caught:
        load_dataset(str(path), arguments.pop("inputs"), arguments.pop("targets"), **arguments)
    assert "\n" not in str(caught.value)


def test_a_file_in_two_splits_is_refused(npy_files):
    paths = [str(path) for path in npy_files(50, 50)]
    with pytest.raises(RecordingError, match="matched for both train and test"):
        load_dataset(paths, "c0", "c2", test=paths[1])


def test_files_of_different_columns_are_refused(csv_file):
    first = csv_file("a,b\n1,2\n3,4\n", "a.csv")
    other = csv_file("a,c\n1,2\n3,4\n", "b.csv")
    with pytest.raises(RecordingError, match=r"b.csv: has no column 'b'"):
        load_dataset([str(first), str(other)], "a", "b")


def test_a_period_for_files_with_time_is_refused(tmp_path, write_bag):
    bag = write_bag(
        tmp_path / "run",
        [("/u", 10**9 * row + 1, "std_msgs/msg/Float64", {"data": float(row)}) for row in range(300)],
    )
    with pytest.raises(RecordingError, match="carry their own time"):
        load_dataset(str(bag), "/u.data", "/u.data", period_s=1.0)
    assert load_dataset(str(bag), "/u.data", "/u.data").period_s == 1.0


def test_recordings_with_and_without_time_do_not_mix(tmp_path, write_bag, csv_file):
    bag = write_bag(
        tmp_path / "run",
        [("/u", 10**9 * row + 1, "std_msgs/msg/Float64", {"data": float(row)}) for row in range(50)],
    )
    untimed = csv_file("/u.data\n" + "".join(f"{row}\n" for row in range(50)))
    test = csv_file("/u.data\n" + "".join(f"{row}\n" for row in range(50)), "test.csv")
    with pytest.raises(RecordingError, match="carries no time though other recordings do"):
        load_dataset(str(bag), "/u.data", "/u.data", validation=str(untimed), test=str(test))


def test_a_time_column_in_nanoseconds_is_noted(csv_file):
    path = csv_file("t,a,b\n" + "".join(f"{row * 10**9},1,2\n" for row in range(300)))
    (note,) = load_dataset(path, "a", "b", time="t").notes
    assert note == f"{path}: rows are 1e+09 s apart. Is its time column in seconds?"


def test_short_runs_are_noted(csv_file):
    times = [*range(40), 1000, 1001, *range(2000, 2300)]
    path = csv_file("t,a,b\n" + "".join(f"{time},1,2\n" for time in times))
    data = load_dataset(str(path), "a", "b", time="t", window_length=8)
    assert "train: 1 runs (2 rows) are shorter than a window of 8." in data.notes
