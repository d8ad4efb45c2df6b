"""Where a deployment goes: ``ssh://user@host[:port][/name]``."""

from __future__ import annotations

from dataclasses import dataclass

from ltc_edge.deploy.linux.device.layout import NAME
from ltc_edge.errors import InputError
from ltc_edge.profiling.places import SSH, Remote, find_place


@dataclass(frozen=True)
class Address:
    """A machine, and a name on it.

    Attributes:
        text: as the user said it, without the name.
        remote: the machine.
        name: of the deployment there; None where none was said.
    """

    text: str
    remote: Remote
    name: str | None


def find_address(said: str) -> Address:
    """The address in ``said``.

    Raises:
        InputError: it is none.
    """
    if not said.startswith(SSH):
        raise InputError(f"{said[:100]!r} is no address such as {SSH}pi@raspberrypi.local/balance")
    machine, _, name = said.removeprefix(SSH).partition("/")
    if name and not NAME.fullmatch(name):
        raise InputError(f"{name[:60]!r} is no name: small letters, digits, and . _ - between them")
    remote = find_place(SSH + machine)
    assert isinstance(remote, Remote)
    return Address(SSH + machine, remote, name or None)


def default_name(controller: str) -> str:
    """A deployment's name from that of a controller."""
    letters = [letter if NAME.fullmatch(f"a{letter}") else "-" for letter in controller.lower()]
    return "".join(letters).strip("._-")[:48].rstrip("._-") or "controller"
