"""What a node needs of a middleware: to hear topics, to publish on them, and to answer calls of services."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from ltc_edge.deploy.ros.interfaces import MessageType, ServiceType
from ltc_edge.deploy.ros.quality import Quality

OnMessage = Callable[[bytes], None]
"""Called with each message in CDR, in a thread of the middleware, one message of a topic at a time."""

Publish = Callable[[bytes], None]
"""Sends a message in CDR."""

Answer = Callable[[bytes], bytes]
"""Makes a service's response of a request, both in CDR, in a thread of the middleware.

It raises `NotThisMessageError` for what is no request; nothing is then answered, or an error.
"""


class Middleware(Protocol):
    """zenoh or DDS."""

    def subscribe(self, topic: str, message: MessageType, quality: Quality, on_message: OnMessage) -> None:
        """Hear a topic."""

    def publisher(self, topic: str, message: MessageType, quality: Quality) -> Publish:
        """Announce a topic, and what sends on it."""

    def serve(self, name: str, service: ServiceType, quality: Quality, answer: Answer) -> None:
        """Announce a service, and answer its calls."""

    def close(self) -> None:
        """Hear and send no more; no call of an ``on_message`` or an ``answer`` begins afterwards."""
