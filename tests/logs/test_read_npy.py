from __future__ import annotations

import numpy as np
import pytest

from ltc_edge.errors import RecordingError
from ltc_edge.logs import column_names, read_recording


@pytest.mark.parametrize("dtype", ["f8", "f4", ">f8", "i2", "u1", "?"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_round_trip(tmp_path, dtype, order):
    values = (np.random.default_rng(0).random((9, 3)) * 100).astype(dtype)
    np.save(tmp_path / "log.npy", np.asarray(values, order=order))

    recording = read_recording(tmp_path / "log.npy")

    assert recording.names == ("c0", "c1", "c2")
    assert recording.values.dtype == np.float64
    np.testing.assert_array_equal(recording.values, values.astype(np.float64))


def test_time_is_one_of_the_columns(tmp_path):
    np.save(tmp_path / "log.npy", np.array([[5.0, 1.0], [5.5, 2.0]]))
    recording = read_recording(tmp_path / "log.npy", time="c0")
    assert recording.names == ("c1",)
    np.testing.assert_array_equal(recording.time_s, [0, 0.5])


@pytest.mark.parametrize(
    ("stored", "message"),
    [
        (np.arange(4.0), "not numbers of shape"),
        (np.zeros((3, 2, 2)), "not numbers of shape"),
        (np.zeros((3, 2), dtype=complex), "holds complex128"),
        (np.array([["a", "b"]] * 3), "not numbers"),
        (np.zeros((3, 0)), "no numeric column"),
        (np.zeros((0, 3)), "no row of data"),
        (np.zeros((1, 2)), "a single row"),
        (np.array([[1.0, 2.0], [np.nan, 3.0]]), "row 2: column 'c0' is nan"),
    ],
)
def test_unusable_arrays_are_refused(tmp_path, stored, message):
    np.save(tmp_path / "log.npy", stored)
    with pytest.raises(RecordingError, match=message):
        read_recording(tmp_path / "log.npy")


def test_pickles_are_refused(tmp_path):
    np.save(tmp_path / "log.npy", np.array([[{}, 1.0]] * 3, dtype=object), allow_pickle=True)
    with pytest.raises(RecordingError, match="pickled Python objects, which are refused"):
        read_recording(tmp_path / "log.npy")


@pytest.mark.parametrize(
    ("content", "message"), [(b"", "is empty"), (b"\x80\x04K\x01.", "is not an NPY file")]
)
def test_other_files_are_refused(tmp_path, content, message):
    (tmp_path / "log.npy").write_bytes(content)
    with pytest.raises(RecordingError, match=message):
        column_names(tmp_path / "log.npy")


def test_a_header_that_claims_more_than_the_file_holds_is_refused(tmp_path):
    path = tmp_path / "log.npy"
    np.save(path, np.zeros((4, 2)))
    path.write_bytes(
        path.read_bytes().replace(b"(4, 2)", b"(9999999999, 2)").replace(b" " * 9 + b"\n", b"\n")
    )
    with pytest.raises(RecordingError, match="cannot be read as NPY"):
        read_recording(path)
