"""Frames on a serial line; ``docs/serial-protocol.md`` says what each byte is and why.

The end in C is ``firmware_examples/common/ltc_cobs.c``.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

_FULL = 254
"""Bytes of the longest block; no zero follows it."""
_HEAD, _CRC = 2, 4
LIMIT = 1 << 17
"""Bytes on the line of the longest frame: a state's size is told in 16 bits."""


@dataclass(frozen=True)
class Frame:
    """A request or an answer.

    Attributes:
        kind: which one, 0 to 255.
        sequence: number of the request, 0 to 255; its answer bears the same.
        content: what the kind calls for.
    """

    kind: int
    sequence: int
    content: bytes = b""

    def line_bytes(self) -> bytes:
        """What goes over the line, with a zero before it, which ends any noise, and one behind it."""
        body = bytes((self.kind, self.sequence)) + self.content
        return b"\0" + stuffed(body + struct.pack("<I", zlib.crc32(body))) + b"\0"


def stuffed(data: bytes) -> bytes:
    """``data`` in blocks without a zero: a byte that says where the next zero is, and what lies before it."""
    blocks: list[bytes] = []
    pieces = data.split(b"\0")
    for index, piece in enumerate(pieces):
        whole, rest = divmod(len(piece), _FULL)
        blocks += [bytes((_FULL + 1,)) + piece[i * _FULL : (i + 1) * _FULL] for i in range(whole)]
        # A full block that ends the data needs nothing behind it.
        if rest or not whole or index < len(pieces) - 1:
            blocks.append(bytes((rest + 1,)) + piece[whole * _FULL :])
    return b"".join(blocks)


def unstuffed(data: bytes) -> bytes | None:
    """What `stuffed` made ``data`` of, without its zeros; None where nothing did."""
    pieces: list[bytes] = []
    at = 0
    while at < len(data):
        code = data[at]
        piece = data[at + 1 : at + code]
        at += code
        if code == 0 or at > len(data) or 0 in piece:
            return None
        pieces.append(piece)
        if code <= _FULL and at < len(data):
            pieces.append(b"\0")
    return b"".join(pieces)


def parse(data: bytes) -> Frame | None:
    """The frame that lies between two zeros; None where it is damaged."""
    whole = unstuffed(data)
    if whole is None or len(whole) < _HEAD + _CRC:
        return None
    body = whole[:-_CRC]
    (crc,) = struct.unpack("<I", whole[-_CRC:])
    return Frame(body[0], body[1], body[_HEAD:]) if crc == zlib.crc32(body) else None


class FrameReader:
    """Finds the frames in what comes over a line; what is none is dropped."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._pending = bytearray()

    def feed(self, data: bytes) -> Iterator[Frame]:
        """The frames that ``data`` completes."""
        *ended, rest = (bytes(self._pending) + data).split(b"\0")
        # Beyond the limit it is no frame, whatever else comes before the next zero.
        self._pending = bytearray(rest[: self._limit + 1])
        for piece in ended:
            frame = parse(piece) if 0 < len(piece) <= self._limit else None
            if frame is not None:
                yield frame
