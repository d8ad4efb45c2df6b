"""What is planted in a network is found, where correlation and weights point elsewhere."""

import sys
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="torch is not installed (extra: train)")

TOOLS = Path(__file__).parents[2] / "tools"


def test_planted_causes_are_found(monkeypatch):
    monkeypatch.setattr(sys, "path", [str(TOOLS), *sys.path])
    from bench_inspection import bench

    found = bench(3)
    assert found["recovered"] == 3, found["failed"]
    assert found["gap_largest"] < 0.01
    assert found["right_without_experiments"]["observation_by_correlation"] < 3
