"""Programs that the kernel cannot run, under the emulator that the device names."""

import pytest

from ltc_edge.profiling.agent.processes import EMULATOR, ProcessError, Program


@pytest.fixture
def program(tmp_path):
    """What only a shell can run, in the place of a program of another processor; and its inputs."""
    path, feed = tmp_path / "program", tmp_path / "feed.bin"
    path.write_text("echo ok 0 entered_ns=7 size=${#1}\n")
    path.chmod(0o700)
    feed.touch()
    return path, feed


def test_it_is_refused_where_there_is_no_emulator(program, monkeypatch):
    monkeypatch.delenv(EMULATOR, raising=False)
    with pytest.raises(ProcessError, match="Exec format error") as refused:
        Program(*program)
    assert refused.value.kind == "refused"


def test_the_emulator_runs_it_with_its_inputs(program, monkeypatch):
    monkeypatch.setenv(EMULATOR, "/bin/sh")
    started = Program(*program)
    try:
        times = started.begin()
    finally:
        started.process.end()
    assert times["entered_ns"] == 7
    assert times["size"] == len("feed.bin")


def test_an_emulator_that_is_not_there_is_named(program, monkeypatch):
    monkeypatch.setenv(EMULATOR, "/nowhere/qemu")
    with pytest.raises(ProcessError, match="/nowhere/qemu cannot be started"):
        Program(*program)
