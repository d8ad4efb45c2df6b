"""OpenSSH's own server and client on loopback, with keys and settings of their own."""

import contextlib
import dataclasses
import os
import pwd
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest

SSHD = Path("/usr/sbin/sshd")

needs_ssh = pytest.mark.skipif(
    not (SSHD.exists() and shutil.which("ssh") and shutil.which("ssh-keygen")),
    reason="no OpenSSH server and client (Debian: openssh-server, openssh-client)",
)


def keygen(path):
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)


@dataclasses.dataclass
class Server:
    """A running sshd, and the folder of the client's configuration."""

    folder: Path
    host: str
    port: int
    process: subprocess.Popen

    @property
    def target(self):
        return f"ssh://{pwd.getpwuid(os.getuid()).pw_name}@{self.host}:{self.port}"

    @property
    def known_hosts(self):
        return self.folder / "known_hosts"

    def trust(self, key="host_key.pub"):
        self.known_hosts.write_text(f"[{self.host}]:{self.port} {(self.folder / key).read_text()}")

    def sessions(self):
        """Processes of connections: sshd makes one for each, and one more where it drops privileges."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [int(child) for child in children]


@contextlib.contextmanager
def running_server(folder, host="127.0.0.1"):
    """A server on an address of loopback, which are 16 million on Linux."""
    for name in ("host_key", "user_key", "other_key"):
        keygen(folder / name)
    shutil.copy(folder / "user_key.pub", folder / "authorized_keys")
    with socket.socket() as free:
        free.bind((host, 0))
        port = free.getsockname()[1]
    (folder / "sshd_config").write_text(
        f"Port {port}\nListenAddress {host}\nHostKey {folder}/host_key\nPidFile none\nUsePAM no\n"
        f"AuthorizedKeysFile {folder}/authorized_keys\nStrictModes no\nPasswordAuthentication no\n"
    )
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([SSHD, "-D", "-e", "-f", folder / "sshd_config"], stderr=log)
    deadline = time.monotonic() + 10
    while "Server listening" not in (folder / "log").read_text():
        assert process.poll() is None, (folder / "log").read_text()
        assert time.monotonic() < deadline
    try:
        yield Server(folder, host, port, process)
    finally:
        process.terminate()
        process.wait()


def client_of(server, folder):
    """The configuration of an ``ssh`` that reads nothing but it, and the PATH on which that comes first."""
    config = folder / "config"
    config.write_text(
        f"Host *\n  UserKnownHostsFile {server.known_hosts}\n  IdentityFile {server.folder}/user_key\n"
        "  IdentitiesOnly yes\n  IdentityAgent none\n"
    )
    (folder / "bin").mkdir()
    ssh = folder / "bin/ssh"
    ssh.write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} -F {config} "$@"\n')
    ssh.chmod(0o755)
    return config, f"{folder / 'bin'}:{os.environ['PATH']}"
