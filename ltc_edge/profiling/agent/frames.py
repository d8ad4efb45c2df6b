"""Messages between ltc-edge and the agent, and between the agent and its workers.

A message is a JSON object with a block of bytes behind it::

    "LTCA"  length of the JSON, 4 bytes  length of the block, 8 bytes  JSON  block

in network byte order. What does not begin with those letters is no message.
"""

from __future__ import annotations

import json
import struct
from typing import IO, Any

MAGIC = b"LTCA"
MAX_JSON, MAX_BLOCK = 1 << 24, 1 << 28
_HEAD = struct.Struct(">4sIQ")

Message = tuple[dict[str, Any], bytes]


class FrameError(Exception):
    """What came is no message, or only half of one."""


def pack(document: dict[str, Any], block: bytes = b"") -> bytes:
    """A message as bytes."""
    text = json.dumps(document, allow_nan=False).encode()
    return _HEAD.pack(MAGIC, len(text), len(block)) + text + block


def write(stream: IO[bytes], document: dict[str, Any], block: bytes = b"") -> None:
    """Send a message."""
    stream.write(pack(document, block))
    stream.flush()


def read(stream: IO[bytes]) -> Message | None:
    """The next message; None where the stream ends before one.

    Raises:
        FrameError: what came is no message, too long, or cut off.
    """
    head = stream.read(_HEAD.size)
    if not head:
        return None
    if len(head) < _HEAD.size:
        raise FrameError(f"a message was cut off: {head!r}")
    magic, size, block_size = _HEAD.unpack(head)
    if magic != MAGIC or size > MAX_JSON or block_size > MAX_BLOCK:
        raise FrameError(f"no message, but {head!r}")
    text, block = stream.read(size), stream.read(block_size)
    if len(text) < size or len(block) < block_size:
        raise FrameError("a message was cut off")
    try:
        document = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise FrameError(f"no message, but {text[:40]!r}") from None
    if not isinstance(document, dict):
        raise FrameError(f"no message, but {text[:40]!r}")
    return document, block


def _no_number(name: str) -> None:
    """JSON has no NaN and no infinity, though Python reads them."""
    raise ValueError(name)
