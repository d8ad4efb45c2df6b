"""What is profiled on: this machine, one over ssh, an emulated processor, a board on a serial line."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ltc_edge.errors import InputError
from ltc_edge.runtimes.exported import SERIAL
from ltc_edge.targets import Target, find_target

LOCAL, SSH = "local", "ssh://"
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]*\$?")
_PORT = re.compile(r"[0-9]{1,5}")
_HOST = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*|\[[0-9A-Fa-f:.]+(%[A-Za-z0-9._-]+)?\]")


@dataclass(frozen=True)
class Local:
    """This machine."""


@dataclass(frozen=True)
class Remote:
    """A machine over ssh.

    Attributes:
        host: its name or address, or what ssh's configuration calls it.
        user, port: None for what ssh's configuration says.
    """

    host: str
    user: str | None = None
    port: int | None = None


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
