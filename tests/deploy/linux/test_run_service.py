"""A program that is started without systemd: known by its file, watched, and replaced by one that runs."""

import os
import select
import signal
from pathlib import Path

import pytest

from ltc_edge.deploy.linux.device.layout import Layout, Refused
from ltc_edge.deploy.linux.device.run_service import RunService


@pytest.fixture
def started(machine, loop):
    """Deploys a version of the loop; all of them end with the test."""

    def deploy(*arguments, **about):
        package = machine.package(loop, "run", arguments, **about)
        return package, machine.deploy(package)

    yield deploy
    RunService(Layout(machine.root, "pump")).stop()


def running(machine):
    return RunService(Layout(machine.root, "pump")).state()


def test_a_version_takes_the_place_of_another(machine, started):
    one, done = started(number=1)
    first = running(machine)
    assert (done["switched"], first["state"], first["version"]) == (True, "running", one.identity)
    two, _ = started(number=2)
    second = running(machine)
    assert (second["version"], second["pid"] != first["pid"]) == (two.identity, True)
    assert not Path(f"/proc/{first['pid']}/exe").exists()
    assert machine.status()["service"] == {"kind": "run", **second}


@pytest.mark.parametrize(
    ("word", "why"),
    [
        ("early", "it ended with code 3: no such port"),
        ("mute", "it did not report ready within 0.3 s"),
        ("soon", "it ended by itself"),
    ],
)
def test_one_that_does_not_run_is_taken_back(machine, started, monkeypatch, word, why):
    one, _ = started(number=1)
    monkeypatch.setattr(machine, "patience", {"ready_s": 0.3, "watch_s": 0.3})
    bad, done = started(word)
    assert not done["switched"]
    assert done["detail"].startswith(why)
    assert (done["current"], done["restored"]) == (one.identity, None)
    assert running(machine)["version"] == one.identity
    status = machine.status()
    assert (status["current"], status["unfinished"]) == (one.identity, False)
    assert [version["id"] for version in status["versions"]] == [one.identity]
    assert not Layout(machine.root, "pump").version(bad.identity).exists()


def test_the_first_one_that_does_not_run_leaves_nothing(machine, started):
    _, done = started("early")
    assert (done["switched"], done["current"]) == (False, None)
    assert running(machine)["state"] == "stopped"
    assert Layout(machine.root, "pump").versions() == []


def test_one_that_died_is_told(machine, started):
    started()
    pid = running(machine)["pid"]
    ended = os.pidfd_open(pid)
    os.kill(pid, signal.SIGKILL)
    select.select([ended], [], [], 60.0)  # until it has: a signal takes its time
    os.close(ended)
    assert running(machine)["state"] == "failed"


def test_the_log_says_what_it_printed_and_does_not_grow_without_end(machine, started, monkeypatch):
    monkeypatch.setattr("ltc_edge.deploy.linux.device.run_service.LOG_BYTES", 10)
    started("early")
    log = Layout(machine.root, "pump").folder / "run.log"
    assert log.read_text() == "no such port\n"
    started("early")
    assert log.read_text() == "no such port\n"


def test_one_that_sigkill_does_not_take_is_given_up(machine, started, monkeypatch):
    """As where a driver holds it; here the signals are lost on their way."""
    started(number=1)
    pid = running(machine)["pid"]
    with monkeypatch.context() as patch:
        patch.setattr("ltc_edge.deploy.linux.device.run_service.ENDS_WITHIN_S", 0.0)
        patch.setattr("ltc_edge.deploy.linux.device.run_service.GONE_WITHIN_S", 0.05)
        patch.setattr("ltc_edge.deploy.linux.device.run_service.os.kill", lambda *_: None)
        service = RunService(Layout(machine.root, "pump"))
        with pytest.raises(Refused, match=f"process {pid} does not end, not by SIGKILL either"):
            service.stop()
        # Nothing is started beside it.
        assert service.start(1.0).startswith(f"process {pid} does not end")
    assert running(machine)["pid"] == pid
