"""The benchmark as a process: its JSON, and what a second run with the same output does."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="torch is not installed (extra: train)")

SCRIPT = Path(__file__).parents[2] / "tools" / "bench_paper.py"


def bench(*arguments: object) -> subprocess.CompletedProcess:
    command = [sys.executable, SCRIPT, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_rows_are_trained_once(tmp_path, data_dir):
    options = (
        "--data-dir", data_dir, "--tasks", "emps", "--cells", "gru",
        "--seeds", 2, "--units", 4, "--epochs", 1,
        "--output", tmp_path / "bench.json", "--markdown", tmp_path / "bench.md",
    )  # fmt: skip
    first = bench(*options)
    assert first.returncode == 0, first.stderr
    (row,) = json.loads(first.stdout)["rows"]
    assert (row["task"], row["cell"], row["metric"], len(row["values"])) == ("emps", "gru", "rmse", 2)
    assert row["mean"] == pytest.approx(sum(row["values"]) / 2)
    assert row["settings"]["prediction"]["epochs"] == 1
    second = bench(*options)
    assert "seed" not in second.stderr
    assert json.loads(second.stdout)["rows"] == [row]
    assert "gru" in (tmp_path / "bench.md").read_text()


def test_missing_recordings_are_one_line(tmp_path):
    done = bench("--data-dir", tmp_path, "--tasks", "occupancy")
    assert done.returncode == 2
    assert done.stdout == ""
    assert "occupancy" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
