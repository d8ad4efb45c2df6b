"""Messages of type std_msgs/msg/String: requests to a node, and what it says of itself."""

from __future__ import annotations

from ltc_edge.deploy.ros.interfaces import MessageType
from ltc_edge.deploy.ros.whole_messages import made, read, written

STRING = MessageType("std_msgs/msg/String")


def text_message(text: str) -> bytes:
    """A text as a message in CDR."""
    return written(STRING, made(STRING.name, data=text))


def message_text(payload: bytes) -> str:
    """The text of a message.

    Raises:
        NotThisMessageError: it is none.
    """
    return str(read(STRING, payload).data)
