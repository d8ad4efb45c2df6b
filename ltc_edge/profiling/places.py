"""What is profiled on: this machine, one over ssh, an emulated processor, a board on a serial line."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

from ltc_edge.errors import InputError
from ltc_edge.runtimes.exported import SERIAL
from ltc_edge.targets import Target, find_target
from ltc_edge.targets.description import read_table

LOCAL, SSH = "local", "ssh://"
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]*\$?")
_PORT = re.compile(r"[0-9]{1,5}")
_HOST = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*|\[[0-9A-Fa-f:.]+(%[A-Za-z0-9._-]+)?\]")


@dataclass(frozen=True)
class Local:
    """This machine.

    Attributes:
        python, folder: interpreter, and where files go; None for the usual ones.
    """

    python: str | None = None
    folder: str | None = None


@dataclass(frozen=True)
class Remote:
    """A machine over ssh.

    Attributes:
        host: its name or address, or what ssh's configuration calls it.
        user, port: None for what ssh's configuration says.
        python, folder: its interpreter, and where files go there; None for the usual ones.
    """

    host: str
    user: str | None = None
    port: int | None = None
    python: str | None = None
    folder: str | None = None

    @property
    def address(self) -> str:
        """As on the command line: ``ssh://user@host:port``, without what was not said."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        user = "" if self.user is None else f"{self.user}@"
        return f"{SSH}{user}{host}" + ("" if self.port is None else f":{self.port}")


@dataclass(frozen=True)
class Emulated:
    """A processor in an emulator."""

    target: Target


@dataclass(frozen=True)
class Serial:
    """A board that runs a firmware of ``firmware_examples``, on a port."""

    port: str


Place = Local | Remote | Emulated | Serial


def find_place(name: str) -> Place:
    """What a target on the command line means.

    Raises:
        InputError: nothing, or no address.
    """
    if name in (LOCAL, "host"):
        return Local()
    if name.startswith(SSH):
        return _remote(name)
    if name.startswith(SERIAL) and len(name) > len(SERIAL):
        return Serial(name.removeprefix(SERIAL))
    if name.endswith(".toml") and (described := _described(Path(name))) is not None:
        return described
    try:
        return Emulated(find_target(name))
    except InputError as error:
        if name.endswith(".toml"):
            raise
        raise InputError(
            f"{error}; or {LOCAL}, {SSH}user@host[:port], {SERIAL}PORT (`ltc-edge targets` lists them)"
        ) from None


def _remote(name: str) -> Remote:
    address = name.removeprefix(SSH).removesuffix("/")
    user, at, rest = address.rpartition("@")
    host, _, port = rest.partition(":") if not rest.startswith("[") else _bracketed(rest)
    # A host that begins with a dash would be an option to ssh.
    if (at and not _USER.fullmatch(user)) or not _HOST.fullmatch(host):
        raise InputError(f"{name!r} is no address such as {SSH}pi@raspberrypi.local:22")
    if port and not (_PORT.fullmatch(port) and 0 < int(port) < 1 << 16):
        raise InputError(f"{name[:100]!r}: a port is a number from 1 to 65535, not {port[:20]!r}")
    return Remote(host.strip("[]"), user or None, int(port) if port else None)


def _bracketed(rest: str) -> tuple[str, str, str]:
    """Host and port where the host is an IPv6 address in brackets."""
    host, bracket, after = rest.partition("]")
    if after and not after.startswith(":"):
        return rest, "", ""  # which is no host
    return host + bracket, ":", after.removeprefix(":")


def _described(path: Path) -> Remote | Serial | None:
    """The device that a file describes by its ``address``; None where it describes a processor.

    Raises:
        InputError: the file cannot be read, has keys that mean nothing, or no address that can be.
    """
    table = read_table(path)
    if "address" not in table:
        return None
    odd = table.keys() - {"summary", "address", "python", "remote_dir"}
    if odd:
        raise InputError(f"{path}: a device has no {', '.join(map(repr, sorted(odd)))}")
    for key, value in table.items():
        if not isinstance(value, str) or not value:
            raise InputError(f"{path}: {key} must be text, not {value!r}")
    address = table["address"]
    if address.startswith(SERIAL) and len(address) > len(SERIAL):
        return Serial(address.removeprefix(SERIAL))
    if not address.startswith(SSH):
        raise InputError(f"{path}: address must be {SSH}user@host[:port] or {SERIAL}PORT, not {address!r}")
    return replace(_remote(address), python=table.get("python"), folder=table.get("remote_dir"))
