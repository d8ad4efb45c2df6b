"""Messages of type std_msgs/msg/String: requests to a node, and what it says of itself."""

from __future__ import annotations

from typing import Any

from ltc_edge.deploy.ros.interfaces import MessageType, type_store
from ltc_edge.deploy.ros.layout import NotThisMessageError

STRING = MessageType("std_msgs/msg/String")
LONGEST = 1 << 16


def text_message(text: str) -> bytes:
    """A text as a message in CDR."""
    store = type_store()
    return bytes(store.serialize_cdr(store.types[STRING.name](data=text), STRING.name, little_endian=True))


def message_text(payload: bytes) -> str:
    """The text of a message.

    Raises:
        NotThisMessageError: it is none.
    """
    if len(payload) > LONGEST:
        raise NotThisMessageError(f"a text of {len(payload)} bytes")
    try:
        message: Any = type_store().deserialize_cdr(payload, STRING.name)
        return str(message.data)
    except Exception as error:  # rosbags reads bytes without looking, and raises whatever comes of it
        raise NotThisMessageError(f"no text ({type(error).__name__})") from None
