"""MCAP files as a robot leaves them: whole, or cut off anywhere by a power loss or a kill."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ltc_edge.errors import RecordingError, require
from ltc_edge.logs.decoding import decoding

MAGIC = b"\x89MCAP0\r\n"
_SCHEMA, _CHANNEL, _MESSAGE = 3, 4, 5
_RECORD = struct.Struct("<BQ")
_MESSAGE_HEAD = struct.Struct("<HIQQ")
_LARGEST_RECORD = 1 << 28

Message = tuple[int, int, bytes]
"""Channel, time in nanoseconds since 1970, content."""


class Container:
    """The messages of an MCAP file in the order in which they were written.

    A file that was not closed ends with its last whole chunk.

    Args:
        path: the file.

    Attributes:
        channels, schemas: what was met so far, by their numbers; as the ``mcap`` package reads them.
        is_whole: whether the file was closed; known once all chunks were read.
        share: of the file's bytes that were read, from 0 to 1.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.channels: dict[int, Any] = {}
        self.schemas: dict[int, Any] = {}
        self.is_whole = False
        self.share = 0.0

    def chunks(self) -> Iterator[list[Message]]:
        """The messages of each chunk.

        Raises:
            RecordingError: the file is none, it cannot be read, or it is damaged before its end.
            MissingExtraError: mcap is not installed.
        """
        if not self.path.is_file():
            what = "this is no file" if self.path.exists() else "there is no such file"
            raise RecordingError(f"{self.path}: {what}. Check the path.")
        records = require("mcap.records", "logs")
        with decoding(self.path, "an MCAP file"), self.path.open("rb") as file:
            size = self.path.stat().st_size
            for record in self._records(file):
                if isinstance(record, records.Schema):
                    self.schemas[record.id] = record
                elif isinstance(record, records.Channel):
                    self.channels[record.id] = record
                elif isinstance(record, records.Message):
                    yield [(record.channel_id, record.log_time, record.data)]
                elif isinstance(record, records.Chunk):
                    self.share = file.tell() / size
                    messages = self._messages(record)
                    if messages is None:
                        self._check_unfinished(file)
                        return
                    yield messages
                elif isinstance(record, records.DataEnd):
                    break
            self.is_whole = _has_end(file)

    def _records(self, file: Any) -> Iterator[Any]:
        """Records up to the end, or to where the file was cut off."""
        reader = require("mcap.stream_reader", "logs")
        end = require("mcap.exceptions", "logs").EndOfFile
        stream = reader.StreamReader(file, emit_chunks=True, record_size_limit=_LARGEST_RECORD)
        if file.read(len(MAGIC)) != MAGIC:
            raise RecordingError(f"{self.path}: is not an MCAP file. Check its name.")
        file.seek(0)
        records = iter(stream.records)
        while True:
            try:
                record = next(records)
            except StopIteration:
                return
            except (end, struct.error, UnicodeDecodeError):
                # The reader ran into the end within a record, or into nonsense before it.
                if file.read(1):
                    raise
                return
            yield record

    def _messages(self, chunk: Any) -> list[Message] | None:
        """The messages of a chunk; None where its bytes are not those that were written."""
        if chunk.compression:
            raise RecordingError(
                f"{self.path}: is compressed ({chunk.compression[:20]}). Decompress it: mcap decompress."
            )
        data = chunk.data
        if len(data) != chunk.uncompressed_size:
            return None
        if chunk.uncompressed_crc and zlib.crc32(data) != chunk.uncompressed_crc:
            return None
        messages: list[Message] = []
        at, size = 0, len(data)
        while at < size:
            opcode, length = _RECORD.unpack_from(data, at)
            at += _RECORD.size
            if length > size - at:
                raise RecordingError(f"{self.path}: a message ends beyond its chunk. Record it again.")
            if opcode == _MESSAGE:
                channel, _, time_ns, _ = _MESSAGE_HEAD.unpack_from(data, at)
                messages.append((channel, time_ns, data[at + _MESSAGE_HEAD.size : at + length]))
            elif opcode in (_SCHEMA, _CHANNEL):
                self._take(opcode, data[at : at + length])
            at += length
        return messages

    def _take(self, opcode: int, content: bytes) -> None:
        """A schema or channel within a chunk."""
        records = require("mcap.records", "logs")
        stream = require("mcap.data_stream", "logs").ReadDataStream(io.BytesIO(content))
        if opcode == _SCHEMA:
            schema = records.Schema.read(stream)
            self.schemas[schema.id] = schema
        else:
            channel = records.Channel.read(stream)
            self.channels[channel.id] = channel

    def _check_unfinished(self, file: Any) -> None:
        """A chunk that is not whole is the end of a log that was not closed, and damage in one that was."""
        if _has_end(file):
            raise RecordingError(
                f"{self.path}: is damaged: a chunk is not as it was written. Copy the file anew."
            )


def _has_end(file: Any) -> bool:
    """Whether a file ends as one that was closed."""
    file.seek(-len(MAGIC), io.SEEK_END)
    return bool(file.read() == MAGIC) and file.tell() > len(MAGIC)
