from __future__ import annotations

import sys

import numpy as np
import pytest

from ltc_edge.errors import MissingExtraError, RecordingError
from ltc_edge.logs import column_names, read_recording

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")


def _write(path, **columns):
    pq.write_table(pa.table(columns), path, row_group_size=3)
    return path


def test_round_trip(tmp_path):
    values = np.random.default_rng(0).normal(size=(8, 2))
    path = _write(
        tmp_path / "log.parquet",
        t=pa.array(10**18 + np.arange(8) * 1_000_000, pa.timestamp("ns")),
        a=values[:, 0],
        who=["x"] * 8,
        n=pa.array(range(8), pa.int32()),
        on=[True, False] * 4,
    )
    assert column_names(path) == ("a", "n", "on")
    recording = read_recording(path, time="t")
    np.testing.assert_array_equal(recording.values, np.column_stack([values[:, 0], range(8), [1, 0] * 4]))
    np.testing.assert_array_equal(recording.time_s, np.arange(8) * 0.001)


@pytest.mark.parametrize(
    "kind", [pa.list_(pa.float32()), pa.list_(pa.float32(), 2), pa.large_list(pa.float64())]
)
def test_equally_long_lists_become_columns(tmp_path, kind):
    rows = [[float(row), row + 0.5] for row in range(7)]
    path = _write(
        tmp_path / "log.parquet", **{"observation.state": pa.array(rows, kind), "u": np.arange(7.0)}
    )
    assert column_names(path) == ("observation.state.0", "observation.state.1", "u")
    recording = read_recording(path, ["u", "observation.state.1"])
    np.testing.assert_array_equal(recording.values, [[row, row + 0.5] for row in range(7)])


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"a": [1.0, None, 2.0]}, "row 2: column 'a' is nan"),
        ({"a": [1, None, 2]}, "row 2: column 'a' is nan"),
        ({"a": [[1.0], [1.0, 2.0], [1.0]]}, "row 2: the lists of column 'a' change length"),
        ({"a": [[1.0], None, [1.0]]}, "row 2: the lists of column 'a' change length"),
        ({"a": ["x", "y"]}, "no numeric column"),
        ({"a": [1.0]}, "a single row"),
        ({"a": pa.array([], pa.float64())}, "no row of data"),
    ],
)
def test_unusable_columns_are_refused(tmp_path, columns, message):
    with pytest.raises(RecordingError, match=message):
        read_recording(_write(tmp_path / "log.parquet", **columns))


@pytest.mark.parametrize(
    ("times", "message"),
    [
        ([0.0, 2.0, 1.0], "row 3: time runs backwards"),
        (["a", "b", "c"], "time column 't' holds string, not numbers or timestamps"),
        (pa.array([0, None, 1], pa.timestamp("us")), "time column 't' has missing values"),
    ],
)
def test_unusable_time_is_refused(tmp_path, times, message):
    path = _write(tmp_path / "log.parquet", t=times, a=[1.0, 2.0, 3.0])
    with pytest.raises(RecordingError, match=message):
        read_recording(path, ["a"], time="t")


def test_missing_column_and_time(tmp_path):
    path = _write(tmp_path / "log.parquet", speed=[1.0, 2.0])
    with pytest.raises(RecordingError, match=r"no column 'sped'. Did you mean 'speed'"):
        read_recording(path, ["sped"])
    with pytest.raises(RecordingError, match="no column 't'"):
        read_recording(path, time="t")


def test_missing_extra_is_named(tmp_path, monkeypatch):
    path = _write(tmp_path / "log.parquet", a=[1.0, 2.0])
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(MissingExtraError, match=r"ltc-edge\[logs\]"):
        read_recording(path)
