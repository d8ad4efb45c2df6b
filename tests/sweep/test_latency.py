"""Timing on a device, one at a time."""

import fcntl
import os

import pytest

from ltc_edge.errors import InputError
from ltc_edge.profiling.settings import Settings
from ltc_edge.sweep import latency
from ltc_edge.sweep.exported import export_untrained
from ltc_edge.sweep.latency import device_lock, p99_us


@pytest.fixture(autouse=True)
def own_locks(tmp_path, monkeypatch):
    monkeypatch.setattr(latency.tempfile, "gettempdir", lambda: str(tmp_path))


def test_a_step_is_timed_on_this_machine(tiny_controller):
    exported = export_untrained(tiny_controller(), "onnx")
    settings = Settings(iterations=100, seconds=0.1, warmup=10, rounds=1)
    assert 0.0 < p99_us(exported, "local", settings) < 1e6
    with pytest.raises(InputError, match="timed on local and ssh"):
        p99_us(exported, "cortex-m4")


def test_a_device_is_for_one_at_a_time(tmp_path):
    with device_lock("ssh://one"), device_lock("ssh://two"):
        assert len(list(tmp_path.iterdir())) == 2
        for path in tmp_path.iterdir():
            with path.open() as file, pytest.raises(BlockingIOError):
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    for path in tmp_path.iterdir():
        with path.open() as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_lock_goes_with_its_process(tmp_path):
    child = os.fork()
    if child == 0:
        lock = device_lock("local")
        lock.__enter__()
        os._exit(0)
    os.waitpid(child, 0)
    with device_lock("local"):
        assert len(list(tmp_path.iterdir())) == 1
