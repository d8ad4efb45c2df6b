"""A service on DDS as rmw_cyclonedds has it: two topics, and a number before each message that pairs them.

A request and its response begin, behind the four bytes that say how CDR is written, with the client's number
and that of the call, 16 bytes; the types that discovery compares are without them (ros2/rmw_cyclonedds,
``rmw_node.cpp`` and ``serdata.cpp``). DDS of another make pairs them otherwise, and is not answered.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
import uuid
from typing import Any

from ltc_edge.deploy.ros.dds_types import ENCAPSULATION, dds_call_type, dds_sample
from ltc_edge.deploy.ros.interfaces import ServiceType
from ltc_edge.deploy.ros.layout import NotThisMessageError
from ltc_edge.deploy.ros.middleware import Answer

CALL_BYTES = 16
"""The client's number, 64 bits, and the call's."""

WAITING = 32
"""Calls that wait for their answer; further ones are dropped, as on a network."""

MATCH_S = 0.1
"""For so long a response waits until the client's reader was found, as rmw_cyclonedds does."""


def split_call(payload: bytes) -> tuple[bytes, bytes]:
    """The number of a call, and the message in CDR that came behind it.

    Raises:
        NotThisMessageError: it is too short for a number.
    """
    end = ENCAPSULATION + CALL_BYTES
    if len(payload) < end:
        raise NotThisMessageError(f"a call of {len(payload)} bytes")
    return payload[ENCAPSULATION:end], payload[:ENCAPSULATION] + payload[end:]


def join_call(call: bytes, message: bytes) -> bytes:
    """A message in CDR behind the number of its call; the number's 16 bytes move no field's alignment."""
    return message[:ENCAPSULATION] + call + message[ENCAPSULATION:]


def user_data(service: ServiceType, participant: uuid.UUID, number: int) -> bytes:
    """What the topics of a service say of it, by which rmw_cyclonedds' clients see that both are one's."""
    identity = participant.bytes[:12] + number.to_bytes(4, "big")
    said = ".".join(f"{byte:x}" for byte in identity)
    return f"serviceid={said};typehash={service.type_hash};".encode()


class DdsService:
    """Answers the calls that one reader hears, in a thread of its own: a reading never waits behind a call.

    Args:
        service: its type.
        answer: makes responses.
        writer: of the responses.
    """

    def __init__(self, service: ServiceType, answer: Answer, writer: Any) -> None:
        self._answer, self._writer = answer, writer
        self._response = dds_call_type(service.response)
        self._waiting: queue.Queue[tuple[Any, Any] | None] = queue.Queue(WAITING)
        self._closed = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def hear(self, sample: Any, reader: Any) -> None:
        """Take a call, and the reader that it came by."""
        with contextlib.suppress(queue.Full):
            self._waiting.put_nowait((sample, reader))

    def close(self) -> None:
        """Answer no further call."""
        self._closed = True
        with contextlib.suppress(queue.Full):  # it then has something to wake up for anyway
            self._waiting.put_nowait(None)
        self._thread.join()
        self._writer = None

    def _run(self) -> None:
        while True:
            waiting = self._waiting.get()
            if waiting is None or self._closed:
                return
            sample, reader = waiting
            try:
                call, request = split_call(sample.payload)
                response = self._answer(request)
            except NotThisMessageError:
                continue  # there is no message for it
            if self._is_matched(reader, sample.sample_info.publication_handle):
                self._writer.write(dds_sample(self._response, join_call(call, response)))

    def _is_matched(self, reader: Any, client: int) -> bool:
        """Whether the client can hear an answer; discovery may have found its writer before its reader."""
        deadline = time.monotonic() + MATCH_S
        while True:
            asking = reader.get_matched_publication_data(client)
            if asking is None:  # it left
                return False
            readers = map(
                self._writer.get_matched_subscription_data, self._writer.get_matched_subscriptions()
            )
            if any(found and found.participant_key == asking.participant_key for found in readers):
                return True
            if self._closed or time.monotonic() > deadline:
                return False
            time.sleep(MATCH_S / 20)
