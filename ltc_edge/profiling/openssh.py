"""The system's OpenSSH: how it is called, and what its messages mean.

Its configuration, keys, agent and known_hosts are the user's, and decide. It never asks anything, since
nobody may be there to answer; and what it refuses is refused.
"""

from __future__ import annotations

import shlex
import shutil

from ltc_edge.errors import MissingToolError
from ltc_edge.profiling.places import Remote

OPTIONS = ("BatchMode=yes", "ConnectTimeout=10", "ServerAliveInterval=5", "ServerAliveCountMax=3")
NOT_FOUND = 127
"""What a shell says of a program that it does not find."""


_UNREACHABLE = {
    "Could not resolve hostname": "there is no such host; check its name, and whether it is on this network",
    "Connection refused": "no ssh server answers there; is sshd running (sudo systemctl enable --now ssh)?",
    "timed out": "it does not answer; is it switched on, and on this network?",
    "No route to host": "it cannot be reached; is it switched on, and on this network?",
    "Network is unreachable": "it cannot be reached; is this machine on its network?",
}
"""What ssh says where it does not get through, and what that means."""


def ssh_command(remote: Remote, command: list[str]) -> list[str]:
    """What runs a command on another machine.

    Raises:
        MissingToolError: there is no ssh here.
    """
    if shutil.which("ssh") is None:
        raise MissingToolError("ssh:// needs ssh, which is not installed (Debian: openssh-client)")
    options = [word for option in OPTIONS for word in ("-o", option)]
    port = [] if remote.port is None else ["-p", str(remote.port)]
    user = [] if remote.user is None else ["-l", remote.user]
    return ["ssh", "-T", *options, *port, *user, "--", remote.host, "exec " + shlex.join(command)]


def explain(remote: Remote, code: int | None, said: str, python: str) -> str:
    """Why a connection ended, and what to do, from what ssh said and its exit code."""
    where = remote.address
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    login = shlex.join(
        [
            "ssh",
            *(["-p", str(remote.port)] if remote.port else []),
            f"{remote.user}@{remote.host}" if remote.user else remote.host,
        ]
    )
    if "REMOTE HOST IDENTIFICATION HAS CHANGED" in said:
        key = remote.host if remote.port in (None, 22) else f"[{remote.host}]:{remote.port}"
        return (
            f"{where}: its host key is not the one in known_hosts: it was installed "
            "anew, or somebody is in between. If you know why, remove the old key with: "
            f"ssh-keygen -R {shlex.quote(key)}"
        )
    if "Host key verification failed" in said:
        return f"{where}: its host key is not known. Compare it with the device's and accept it, by: {login}"
    if "Permission denied" in said:
        return (
            f"{where}: no key of yours is accepted. Install one with ssh-copy-id, or start ssh-agent; "
            f"then try: {login}"
        )
    for sign, advice in _UNREACHABLE.items():
        if sign in said:
            return f"{where}: {advice}"
    if code == NOT_FOUND:
        return f"{where}: has no {python}; install it (Debian: python3), or name another with --python"
    last = f" ({lines[-1][:160]})" if lines else ""
    return f"{where}: the connection ended{last}"
