"""What a node needs of a middleware: to hear topics and to publish on them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from ltc_edge.deploy.ros.interfaces import MessageType
from ltc_edge.deploy.ros.quality import Quality

OnMessage = Callable[[bytes], None]
"""Called with each message in CDR, in a thread of the middleware, one message of a topic at a time."""

Publish = Callable[[bytes], None]
"""Sends a message in CDR."""


class Middleware(Protocol):
    """zenoh or DDS."""

    def subscribe(self, topic: str, message: MessageType, quality: Quality, on_message: OnMessage) -> None:
        """Hear a topic."""

    def publisher(self, topic: str, message: MessageType, quality: Quality) -> Publish:
        """Announce a topic, and what sends on it."""

    def close(self) -> None:
        """Hear and send no more; no call of an ``on_message`` begins afterwards."""
