"""URLs of ``--io``: their parts, and names of hosts looked up, which a static program cannot do."""

from __future__ import annotations

import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl

from ltc_edge.errors import InputError

NATIVE = ("lines", "udp", "serial", "can")
"""Schemes that the loop program has itself."""
BRIDGED = ("zenoh", "dds", "mavlink")

_PORT = re.compile(r"[0-9]{1,5}")


@dataclass(frozen=True)
class IoUrl:
    """The parts of a URL.

    Attributes:
        scheme: before ``://``.
        place: what follows, up to a ``?``.
        options: name and value of what follows the ``?``.
    """

    scheme: str
    place: str
    options: dict[str, str]

    def only(self, *known: str) -> None:
        """Refuse options that are none of these.

        Raises:
            InputError: there are others.
        """
        for name in self.options:
            if name not in known:
                there = f"it has {', '.join(known)}" if known else "it has none"
                raise InputError(f"--io {self.scheme}://…: there is no option {name!r}; {there}")


def read_url(said: str) -> IoUrl:
    """The parts of a URL of ``--io``.

    Raises:
        InputError: it is none, or its scheme is not known.
    """
    scheme, mark, rest = said.partition("://")
    if scheme not in (*NATIVE, *BRIDGED) or (not mark and scheme != "lines") or not said.isprintable():
        kinds = ", ".join(f"{name}://…" for name in (*NATIVE, *BRIDGED) if name != "lines")
        raise InputError(f"--io {said[:80]!r}: expected lines, {kinds}")
    place, _, query = rest.partition("?")
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))
    except ValueError:
        raise InputError(f"--io {said[:80]!r}: its options are not name=value&name=value") from None
    return IoUrl(scheme, place, dict(pairs))


def native_url(url: IoUrl, observations: Sequence[str], actions: Sequence[str]) -> str:
    """What the loop program takes: numeric addresses, and a CAN map as a text.

    Raises:
        InputError: a host has no address, or the map is none for these signals.
    """
    if url.scheme == "udp":
        url.only("from", "to")
        options = {name: numeric(value) for name, value in url.options.items()}
        return "udp://" + numeric(url.place) + _query(options)
    if url.scheme == "can" and "map" in url.options:
        from ltc_edge.deploy.run.can_map import read_can_map

        url.only("map")
        maps = read_can_map(Path(url.options["map"]), observations, actions)
        return f"can://{url.place}" + _query({"readings": maps.readings, "actions": maps.actions})
    if url.scheme == "lines":
        return "lines"
    return f"{url.scheme}://{url.place}" + _query(url.options)


def numeric(said: str) -> str:
    """``HOST:PORT`` with the host's address in the place of its name; a port alone is one of 127.0.0.1.

    Raises:
        InputError: it is none, or the host has no address.
    """
    host, _, port = said.rpartition(":")
    host = host.removeprefix("[").removesuffix("]") or "127.0.0.1"
    if not _PORT.fullmatch(port) or int(port) > 65535:
        raise InputError(f"{said[:80]!r} is no HOST:PORT such as 127.0.0.1:9000")
    try:
        found = socket.getaddrinfo(host, int(port), type=socket.SOCK_DGRAM)
    except (OSError, UnicodeError) as error:
        raise InputError(f"{host[:80]!r} has no address here ({error})") from None
    # IPv4 first: a plant that listens at localhost usually does so there.
    address = min(found, key=lambda entry: entry[0] != socket.AF_INET)[4]
    return f"[{address[0]}]:{port}" if ":" in str(address[0]) else f"{address[0]}:{port}"


def _query(options: dict[str, str]) -> str:
    return "?" + "&".join(f"{name}={value}" for name, value in options.items()) if options else ""
