from __future__ import annotations

import numpy as np
import pytest

from ltc_edge.errors import RecordingError
from ltc_edge.logs import column_names, read_recording

pytest.importorskip("rosbags")

_FLOAT = "std_msgs/msg/Float64"
_ARRAY = "std_msgs/msg/Float64MultiArray"
_TEXT = "std_msgs/msg/String"
_VECTOR = "geometry_msgs/msg/Vector3"
_START_NS = 1_700_000_000_000_000_000
_MS = 1_000_000


def _float(topic, at_ms, value):
    return topic, _START_NS + at_ms * _MS, _FLOAT, {"data": float(value)}


def _vector(topic, at_ms, x):
    return topic, _START_NS + at_ms * _MS, _VECTOR, {"x": float(x), "y": 0.5, "z": -1.0}


def _array(topic, at_ms, values):
    from rosbags.typesys import Stores, get_typestore

    layout = get_typestore(Stores.ROS2_HUMBLE).types["std_msgs/msg/MultiArrayLayout"](dim=[], data_offset=0)
    return topic, _START_NS + at_ms * _MS, _ARRAY, {"layout": layout, "data": np.array(values, dtype=float)}


@pytest.fixture(params=["MCAP", "SQLITE3"])
def plugin(request):
    return request.param


def test_round_trip_of_folder_and_file(tmp_path, write_bag, plugin):
    bag = write_bag(tmp_path / "run", [_vector("/imu", 10 * row, row) for row in range(6)], plugin)
    (storage,) = [path for path in bag.iterdir() if path.suffix in (".mcap", ".db3")]
    for path in (bag, storage):
        assert column_names(path) == ("/imu.x", "/imu.y", "/imu.z")
        recording = read_recording(path)
        np.testing.assert_array_equal(recording.values, [[row, 0.5, -1.0] for row in range(6)])
        np.testing.assert_allclose(recording.time_s, np.arange(6) * 0.01, rtol=0, atol=1e-12)


def test_other_topics_are_held_on_the_time_of_the_first_chosen(tmp_path, write_bag, plugin):
    bag = write_bag(
        tmp_path / "run",
        [
            *[_float("/fast", 10 * row, row) for row in range(10)],
            _float("/slow", 25, 100),
            _float("/slow", 60, 200),
            _float("/unused", 90, 7),
        ],
        plugin,
    )
    recording = read_recording(bag, ["/fast.data", "/slow.data"], time="time")
    np.testing.assert_array_equal(
        recording.values, [[3, 100], [4, 100], [5, 100], [6, 200], [7, 200], [8, 200], [9, 200]]
    )
    np.testing.assert_allclose(recording.time_s, np.arange(7) * 0.01, rtol=0, atol=1e-12)

    with pytest.raises(RecordingError, match=r"0 messages of /slow are left.*the last is /unused"):
        read_recording(bag, ["/slow.data", "/unused.data", "/fast.data"])


def test_array_entries_are_columns(tmp_path, write_bag):
    bag = write_bag(tmp_path / "run", [_array("/joints", row, [row, 2 * row]) for row in range(4)])
    assert "/joints.data[1]" in column_names(bag)
    recording = read_recording(bag, ["/joints.data[1]"])
    np.testing.assert_array_equal(recording.values[:, 0], [0, 2, 4, 6])


def test_arrays_that_shrink_are_refused(tmp_path, write_bag):
    bag = write_bag(tmp_path / "run", [_array("/joints", 0, [1, 2]), _array("/joints", 1, [1])])
    with pytest.raises(RecordingError, match=r"message 2 of /joints lacks a value.*data\[1\]"):
        read_recording(bag, ["/joints.data[1]"])


def test_unusable_bags_are_refused(tmp_path, write_bag):
    bag = write_bag(tmp_path / "run", [_float("/u", 0, 1), _float("/u", 1, 2)])
    with pytest.raises(RecordingError, match=r"no column '/u.dat'. Did you mean '/u.data'"):
        read_recording(bag, ["/u.dat"])
    with pytest.raises(RecordingError, match="has no time column 'stamp'"):
        read_recording(bag, time="stamp")

    text = write_bag(tmp_path / "text", [("/log", _START_NS, _TEXT, {"data": "hello"})])
    with pytest.raises(RecordingError, match="no numeric value"):
        read_recording(text)

    again = write_bag(tmp_path / "again", [_float("/u", 0, 1), _float("/u", 0, 2)])
    with pytest.raises(RecordingError, match="row 2: time repeats"):
        read_recording(again)

    single = write_bag(tmp_path / "single", [_float("/u", 0, 1)])
    with pytest.raises(RecordingError, match="1 messages of /u are left"):
        read_recording(single)

    bad = write_bag(tmp_path / "bad", [_float("/u", 0, 1), _float("/u", 1, float("nan"))])
    with pytest.raises(RecordingError, match=r"row 2: column '/u.data' is nan"):
        read_recording(bad)


def test_a_damaged_folder_is_refused(tmp_path, write_bag):
    bag = write_bag(tmp_path / "run", [_float("/u", 0, 1), _float("/u", 1, 2)])
    (bag / "metadata.yaml").write_text("rosbag2_bagfile_information: [")
    with pytest.raises(RecordingError, match="cannot be read as a ROS 2 bag"):
        read_recording(bag)
