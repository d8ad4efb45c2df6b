"""Messages as objects, by rosbags: for what comes and goes beside the steps, where time does not count."""

from __future__ import annotations

from typing import Any

from ltc_edge.deploy.ros.interfaces import MessageType, type_store
from ltc_edge.deploy.ros.layout import NotThisMessageError

LONGEST = 1 << 16


def made(name: str, /, **fields: Any) -> Any:
    """A message of the type with this full name."""
    return type_store().types[name](**fields)


def written(message: MessageType, content: Any) -> bytes:
    """A message in CDR, little-endian."""
    return bytes(type_store().serialize_cdr(content, message.name, little_endian=True))


def read(message: MessageType, payload: bytes) -> Any:
    """The message that bytes in CDR are.

    Raises:
        NotThisMessageError: they are none, or more than `LONGEST`.
    """
    if len(payload) > LONGEST:
        raise NotThisMessageError(f"a {message.name} of {len(payload)} bytes")
    try:
        return type_store().deserialize_cdr(payload, message.name)
    except Exception as error:  # rosbags reads bytes without looking, and raises whatever comes of it
        raise NotThisMessageError(f"no {message.name} ({type(error).__name__})") from None
