"""The bench of the loop: its yardstick and its plant, together for a moment."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

TOOLS = Path(__file__).parents[2] / "tools"


@pytest.fixture(scope="module")
def bench():
    sys.path.insert(0, str(TOOLS))
    try:
        spec = importlib.util.spec_from_file_location("bench_loop", TOOLS / "bench_loop.py")
        module = importlib.util.module_from_spec(spec)
        sys.modules["bench_loop"] = module
        spec.loader.exec_module(module)
        yield module
    finally:
        sys.path.remove(str(TOOLS))


def test_the_plant_and_the_sockets_exchange_datagrams(bench, tmp_path):
    import multiprocessing

    over, result, found = multiprocessing.Event(), multiprocessing.SimpleQueue(), []

    @bench.contextlib.contextmanager
    def beside(port):
        with bench.processes(over, (bench.plant, (port, 2, None, over, result))):
            yield
            over.set()
            found.append(result.get())

    with bench.sockets.built(tmp_path) as program:
        times = bench.sockets.measure(program, 0.001, 0.3, (None, None), 1, beside)
    assert 0 < times["p50"] <= times["p99"] <= times["max"]
    assert found[0]["exchanges"] > found[0]["unanswered"]
    assert 0 < found[0]["p50"] <= found[0]["max"]


def test_percentiles(bench):
    assert bench.percentiles(np.arange(1001.0)) == {"p50": 500.0, "p99": 990.0, "p999": 999.0, "max": 1000.0}
    assert bench.percentiles(np.array([])) == {}
