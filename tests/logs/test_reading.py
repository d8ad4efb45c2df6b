from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from ltc_edge.errors import RecordingError
from ltc_edge.logs import read_recording
from ltc_edge.logs.reading import find_files


def test_missing_files_and_foreign_suffixes_are_refused(tmp_path):
    with pytest.raises(RecordingError, match="there is no such file"):
        read_recording(tmp_path / "log.csv")
    (tmp_path / "log.xlsx").write_bytes(b"PK")
    with pytest.raises(RecordingError, match=r"\.xlsx is not a format of recordings.*\.csv.*\.parquet"):
        read_recording(tmp_path / "log.xlsx")
    with pytest.raises(RecordingError, match=r"folder without metadata.yaml"):
        read_recording(tmp_path)


def test_an_npz_called_npy_is_refused(tmp_path):
    np.savez(tmp_path / "log.npz", a=np.zeros(3))
    (tmp_path / "log.npz").rename(tmp_path / "log.npy")
    with pytest.raises(RecordingError, match="is not an NPY file"):
        read_recording(tmp_path / "log.npy")


def test_an_upper_case_suffix_is_known(tmp_path):
    (tmp_path / "LOG.CSV").write_text("a\n1\n2\n")
    assert read_recording(tmp_path / "LOG.CSV").rows == 2


def test_patterns_give_sorted_files_once(tmp_path, npy_files):
    paths = npy_files(3, 3, 3)
    (tmp_path / "deep").mkdir()
    nested = paths[0].rename(tmp_path / "deep" / "trace_00.npy")
    assert find_files([f"{tmp_path}/*.npy", str(paths[1])], "--data") == (paths[1], paths[2])
    assert find_files([f"{tmp_path}/**/*.npy"], "--data") == (nested, paths[1], paths[2])


def test_a_bracket_in_an_existing_name_is_literal(csv_file):
    path = csv_file("a\n1\n2\n", "run[1].csv")
    assert find_files([str(path)], "--data") == (path,)


def test_a_pattern_without_match_names_its_option(tmp_path):
    with pytest.raises(RecordingError, match=r"--test .*\*\.csv: no file matches"):
        find_files([f"{tmp_path}/*.csv"], "--test")


@pytest.mark.parametrize("patterns", [[], [""], ["~nobody-has-this-name/*.csv"]])
def test_patterns_of_nothing_are_refused(patterns):
    with pytest.raises(RecordingError, match="--data"):
        find_files(patterns, "--data")


def test_importing_the_package_imports_no_optional_package():
    program = (
        "import sys, ltc_edge.logs; "
        "print([name for name in ('pyarrow', 'rosbags', 'torch', 'pandas', 'scipy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
