from __future__ import annotations

import numpy as np
import pytest

from ltc_edge.errors import RecordingError
from ltc_edge.logs import column_names, read_recording


def test_round_trip_names_one_and_two_dimensional_arrays(tmp_path):
    path = tmp_path / "log.npz"
    joints = np.random.default_rng(0).normal(size=(5, 2))
    np.savez_compressed(
        path, t=np.arange(5) * 0.1, q=joints, robot=np.array("arm"), gain=3.0, on=np.ones(5, bool)
    )

    assert column_names(path) == ("t", "q.0", "q.1", "on")
    recording = read_recording(path, time="t")
    assert recording.names == ("q.0", "q.1", "on")
    np.testing.assert_array_equal(recording.values, np.column_stack([joints, np.ones(5)]))
    np.testing.assert_allclose(recording.time_s, np.arange(5) * 0.1)


def test_different_lengths_are_refused_only_where_chosen(tmp_path):
    path = tmp_path / "log.npz"
    np.savez(path, a=np.zeros(5), b=np.zeros(4))
    with pytest.raises(RecordingError, match="'a' has 5 rows and 'b' has 4"):
        read_recording(path)
    assert read_recording(path, ["b"]).rows == 4


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"a": np.array([{}, {}], dtype=object)}, "array 'a' holds pickled Python objects"),
        ({"a": np.array(["x", "y"])}, "no numeric column"),
        ({"a": np.zeros(1)}, "a single row"),
        ({"a.0": np.zeros(3), "a": np.zeros((3, 1))}, "two columns are called 'a.0'"),
        ({}, "no numeric column"),
    ],
)
def test_unusable_archives_are_refused(tmp_path, arrays, message):
    np.savez(tmp_path / "log.npz", **arrays)
    with pytest.raises(RecordingError, match=message):
        read_recording(tmp_path / "log.npz")


@pytest.mark.parametrize(
    ("content", "message"), [(b"", "is empty"), (b"\x80\x04K\x01.", "is not an NPZ file")]
)
def test_other_files_are_refused(tmp_path, content, message):
    (tmp_path / "log.npz").write_bytes(content)
    with pytest.raises(RecordingError, match=message):
        read_recording(tmp_path / "log.npz")
