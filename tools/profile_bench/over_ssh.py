"""A whole profile over ssh, on an ssh server of its own on the loopback interface."""

from __future__ import annotations

import contextlib
import getpass
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ltc_edge.errors import CheckFailedError, MissingToolError
from profile_bench.subject import machine_state

SSHD, SSH = "/usr/sbin/sshd", "/usr/bin/ssh"
FORMATS = ("c-float32", "c-int16", "onnx", "tflite")
READY_S, PROFILE_S = 20.0, 300.0


def measure(bundle: Path, runs: int) -> dict[str, Any]:
    """Seconds of the whole command, and of the same one on this machine without ssh.

    Raises:
        MissingToolError: there is no ssh server here.
        CheckFailedError: a profile failed.
    """
    for tool in (SSHD, SSH):
        if not Path(tool).exists():
            raise MissingToolError(f"{tool} is not there (Debian: openssh-server)")
    taken: dict[str, list[float]] = {"ssh_s": [], "local_s": []}
    states = []
    with tempfile.TemporaryDirectory() as scratch, loopback_server(Path(scratch)) as (path, port):
        target = f"ssh://{getpass.getuser()}@bench:{port}"
        for _ in range(runs):
            states.append(machine_state())
            taken["ssh_s"].append(_profile(bundle, path, "--target", target, "--python", sys.executable))
            taken["local_s"].append(_profile(bundle, path))
    return {**taken, "machine": states}


def _profile(bundle: Path, path: str, *words: str) -> float:
    """Seconds of a profile of `FORMATS`, from the start of the command to its end."""
    formats = [word for name in FORMATS for word in ("--format", name)]
    command = [
        str(Path(sys.executable).parent / "ltc-edge"),
        "profile",
        str(bundle),
        *formats,
        *words,
        "--json",
    ]
    start = time.perf_counter()
    done = subprocess.run(
        command, env={**os.environ, "PATH": path}, capture_output=True, text=True, timeout=PROFILE_S
    )
    seconds = time.perf_counter() - start
    if done.returncode != 0:
        raise CheckFailedError(f"the profile failed: {done.stderr.strip()[-300:]}")
    failed = [name for name, row in json.loads(done.stdout)["formats"].items() if row["status"] != "ok"]
    if failed:
        raise CheckFailedError(f"not profiled over ssh: {', '.join(failed)}")
    return seconds


@contextlib.contextmanager
def loopback_server(folder: Path) -> Iterator[tuple[str, int]]:
    """A server with keys and configuration of its own: the PATH that its client is on, and its port."""
    port = _free_port()
    for key in ("host", "user"):
        _keygen(folder / key)
    shutil.copy(folder / "user.pub", folder / "authorized")
    lines = [f"Port {port}", "ListenAddress 127.0.0.1", f"HostKey {folder}/host"]
    lines += [f"AuthorizedKeysFile {folder}/authorized", "PidFile none", "StrictModes no", "UsePAM no"]
    lines += ["PasswordAuthentication no", "PermitRootLogin yes", ""]
    (folder / "sshd_config").write_text("\n".join(lines))
    host_key = " ".join((folder / "host.pub").read_text().split()[:2])
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{port} {host_key}\n")
    (folder / "ssh_config").write_text(
        f"Host bench\n HostName 127.0.0.1\n IdentityFile {folder}/user\n IdentitiesOnly yes\n"
        f" UserKnownHostsFile {folder}/known_hosts\n"
    )
    wrapper = folder / "bin" / "ssh"
    wrapper.parent.mkdir()
    wrapper.write_text(f'#!/bin/sh\nexec {SSH} -F {folder}/ssh_config "$@"\n')
    wrapper.chmod(0o755)
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    with (folder / "log").open("w") as log:
        server = subprocess.Popen([SSHD, "-D", "-e", "-f", str(folder / "sshd_config")], stderr=log)
    try:
        _await(server, port, folder / "log")
        yield f"{wrapper.parent}{os.pathsep}{os.environ['PATH']}", port
    finally:
        server.terminate()
        server.wait()


def _keygen(key: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _await(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Until the server takes connections.

    Raises:
        CheckFailedError: it ended, or does not.
    """
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline and server.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1.0):
            return
        time.sleep(0.05)
    raise CheckFailedError(f"sshd does not start: {log.read_text().strip()[-300:]}")
