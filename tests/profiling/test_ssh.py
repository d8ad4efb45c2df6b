"""Profiling over ssh: OpenSSH's own client and server on loopback, with keys and settings of their own."""

import contextlib
import dataclasses
import os
import signal
import socket
import sys
import threading
import time
from pathlib import Path

import pytest
from loopback_ssh import client_of, needs_ssh, running_server

from ltc_edge.errors import DeviceError
from ltc_edge.profiling.places import find_place
from ltc_edge.profiling.profile import ProfileInterruptedError, profile
from ltc_edge.profiling.request import Request
from ltc_edge.profiling.settings import Settings
from ltc_edge.profiling.subject import read_profile_subject

FORMATS = ("onnx", "tflite", "c-float32", "c-int16")
QUICK = Settings(iterations=400, seconds=0.5, warmup=20, rounds=2)

pytestmark = needs_ssh


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    with running_server(tmp_path_factory.mktemp("ssh")) as server:
        yield server


@pytest.fixture
def client(server, monkeypatch, tmp_path):
    """An `ssh` that reads this test's configuration and keys, and knows the server's host key."""
    server.trust()
    config, path = client_of(server, tmp_path)
    monkeypatch.setenv("PATH", path)
    return config


@pytest.fixture(scope="session")
def bundle(unverified_bundle):
    pytest.importorskip("ai_edge_litert", reason="ai-edge-litert is not installed (extra: litert)")
    return unverified_bundle(*FORMATS)


@pytest.fixture
def remote(tmp_path):
    """Where the agent makes its folder on the other side."""
    folder = tmp_path / "remote"
    folder.mkdir()
    return folder


def run(server, bundle, remote=None, *, formats=("c-float32",), python=sys.executable, settings=QUICK):
    request = Request(
        server.target,
        find_place(server.target),
        settings,
        python=str(python),
        folder=None if remote is None else str(remote),
    )
    return profile(read_profile_subject(bundle, formats, ()), request, lambda *_: None)


def running_in(folder):
    """Processes whose current folder is in ``folder``."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if str((process / "cwd").readlink()).startswith(str(folder)):
                found.append(process.name)
    return found


def gone(folder):
    """Wait until nothing of an agent is left: it ends by itself, after the connection does."""
    deadline = time.monotonic() + 20
    while any(folder.iterdir()) or running_in(folder):
        assert time.monotonic() < deadline, (list(folder.iterdir()), running_in(folder))
        time.sleep(0.05)
    return True


def test_formats_run_there_and_nothing_stays(server, client, bundle, remote):
    document = run(server, bundle, remote, formats=FORMATS)
    assert [row["status"] for row in document["formats"].values()] == ["ok"] * len(FORMATS)
    for row in document["formats"].values():
        assert row["latency_us"]["p50"] > 0
        assert row["step_us"] > 0
        assert row["rms_over_sigma"] < 0.05
    assert document["device"]["inventory"]["folder"].startswith(str(remote))
    assert document["device"]["before"]["clocks"]["monotonic_ns"] > 0
    assert gone(remote)


def test_a_static_program_is_sent_where_there_is_no_compiler(server, client, bundle, remote, tmp_path):
    bare = tmp_path / "bare"
    bare.write_text(f'#!/bin/sh\nPATH=/nonexistent exec {sys.executable} "$@"\n')
    bare.chmod(0o755)
    document = run(server, bundle, remote, python=bare)
    row = document["formats"]["c-float32"]
    assert (row["status"], row["runtime"]["name"]) == ("ok", "C, a static program")
    assert document["device"]["inventory"]["compiler"] is None


def test_what_a_login_shell_prints_does_not_disturb(server, client, bundle, remote, tmp_path):
    chatty = tmp_path / "chatty"
    chatty.write_text(f'#!/bin/sh\necho "Welcome to Raspberry Pi OS"\nexec {sys.executable} "$@"\n')
    chatty.chmod(0o755)
    assert run(server, bundle, remote, python=chatty)["formats"]["c-float32"]["status"] == "ok"


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("yes garbage", "no answer of the agent"),
        ("echo 'ltc-edge agent'; head -c 4000 /dev/zero", "no answer of the agent"),
        ("exit 3", "the connection ended"),
    ],
)
def test_a_device_that_is_none(server, client, bundle, tmp_path, script, message):
    fake = tmp_path / "fake"
    fake.write_text(f"#!/bin/sh\n{script}\n")
    fake.chmod(0o755)
    with pytest.raises(DeviceError, match=message) as error:
        run(server, bundle, python=fake)
    assert "\n" not in str(error.value)


def test_an_unknown_host_key_is_refused_and_not_learned(server, client, bundle):
    server.known_hosts.write_text("")
    with pytest.raises(DeviceError, match=r"host key is not known.*accept it, by: ssh -p"):
        run(server, bundle)
    assert server.known_hosts.read_text() == ""


def test_a_changed_host_key_is_refused(server, client, bundle):
    server.trust("other_key.pub")
    with pytest.raises(DeviceError, match=r"not the one in known_hosts.*ssh-keygen -R '\[127"):
        run(server, bundle)


def test_a_key_that_is_not_accepted(server, client, bundle):
    client.write_text(client.read_text().replace("user_key", "other_key"))
    with pytest.raises(DeviceError, match="no key of yours is accepted"):
        run(server, bundle)


def test_nobody_listens(server, client, bundle):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = dataclasses.replace(server, port=free.getsockname()[1])
        with pytest.raises(DeviceError, match="no ssh server answers"):
            run(nobody, bundle)


def test_no_python_there(server, client, bundle):
    with pytest.raises(DeviceError, match="has no python-of-nobody; install it"):
        run(server, bundle, python="python-of-nobody")


def test_a_folder_that_cannot_be_written(server, client, bundle, tmp_path):
    with pytest.raises(DeviceError, match=r"cannot work there: .*No such file"):
        run(server, bundle, tmp_path / "nowhere")


def test_a_full_disk(server, client, bundle, remote, tmp_path):
    """As a limit on the size of files, which gives the same error for every write."""
    full = tmp_path / "full"
    full.write_text(f'#!/bin/bash\nulimit -f 4\nexec {sys.executable} "$@"\n')
    full.chmod(0o755)
    with pytest.raises(DeviceError, match=r"cannot work there: .*File too large"):
        run(server, bundle, remote, python=full)
    assert gone(remote)


def test_the_link_is_cut_in_the_middle(server, client, bundle, remote):
    """What was measured is kept; on the device all ends, and the folder goes."""
    long = dataclasses.replace(QUICK, rate_hz=100.0, paced_seconds=60.0)
    busy = threading.Event()

    def cut():
        busy.wait(60)
        for session in server.sessions():
            os.kill(session, signal.SIGKILL)

    def on_share(stage, _):
        if stage.endswith("paced"):
            busy.set()

    cutter = threading.Thread(target=cut)
    cutter.start()
    request = Request(
        server.target, find_place(server.target), long, python=sys.executable, folder=str(remote)
    )
    with pytest.raises(ProfileInterruptedError) as interrupted:
        profile(read_profile_subject(bundle, ("c-float32", "onnx"), ()), request, on_share)
    cutter.join()
    document = interrupted.value.document
    assert document["partial"]
    assert document["recommendation"] is None
    assert document["formats"]["c-float32"]["latency_us"]["p50"] > 0
    assert "connection ended" in str(interrupted.value.cause)
    assert gone(remote)
