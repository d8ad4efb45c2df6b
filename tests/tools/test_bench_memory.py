"""Slices of ``tools/bench_memory.py``."""

import importlib.util
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="torch is not installed (extra: train)")

TOOL = Path(__file__).parents[2] / "tools" / "bench_memory.py"


@pytest.fixture(scope="module")
def bench():
    spec = importlib.util.spec_from_file_location("bench_memory", TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_cell_is_measured_and_memory_holds_longer_than_none(bench, tmp_path):
    decays = bench.gradients(lags=16, sequences=2, units=4, seeds=1)
    assert list(decays) == list(bench.CELLS) == list(bench.TRAININGS)
    assert decays["ltc with memory"].share[-1] > 1e3 * decays["ltc"].share[-1]
    bench.draw(decays, tmp_path / "cells.png")
    assert (tmp_path / "cells.png").read_bytes().startswith(b"\x89PNG")
