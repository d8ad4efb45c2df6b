"""Bags of ROS 2 as MCAP: what a node heard and said, and bags that a node is played."""

from __future__ import annotations

import queue
import shutil
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ltc_edge.deploy.ros.interfaces import MessageType, type_store
from ltc_edge.deploy.ros.mapping import Mapping
from ltc_edge.errors import InputError, OutputError, require
from ltc_edge.logs.decoding import decoding


class BagWriter:
    """Writes messages into a new bag, a folder with an MCAP file.

    Args:
        folder: where to; it must not exist.
        topics: names and types, in the order of their indexes.

    Raises:
        OutputError: the folder exists already or cannot be written.
        MissingExtraError: rosbags is not installed.
    """

    def __init__(self, folder: Path, topics: Sequence[tuple[str, MessageType]]) -> None:
        require("rosbags.rosbag2", "ros")
        from rosbags.rosbag2 import StoragePlugin, Writer

        _refuse_existing(folder)
        self._folder = folder
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            # Metadata of version 9 is that of ROS 2 Jazzy.
            self._writer = Writer(folder, version=9, storage_plugin=StoragePlugin.MCAP)
            self._writer.open()
        except OSError as error:
            raise OutputError(f"{folder}: cannot be written ({error.strerror or error})") from None
        self._topics = [
            self._writer.add_connection(topic, message.name, typestore=type_store())
            for topic, message in topics
        ]

    def write(self, topic: int, now_ns: int, payload: bytes) -> None:
        """Append a message.

        Args:
            topic: its index.
            now_ns: log time, since 1970.
            payload: the message in CDR.
        """
        self._writer.write(self._topics[topic], now_ns, payload)

    def close(self) -> None:
        """Write index and metadata."""
        self._writer.close()

    def discard(self) -> None:
        """Leave nothing behind."""
        self._writer.close()
        shutil.rmtree(self._folder, ignore_errors=True)


class BagRecorder:
    """`Witness` that keeps all messages in a bag: the topics of a mapping, the actions' last.

    A thread of its own writes, so that a step waits for no disk.

    Args:
        folder: see `BagWriter`.
        mapping: whose topics.
    """

    def __init__(self, folder: Path, mapping: Mapping) -> None:
        self._writer = BagWriter(folder, mapping_topics(mapping))
        self._actions = len(mapping.sources)
        self._waiting: queue.SimpleQueue[tuple[int, int, bytes] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._write, name="bag", daemon=True)
        self._error: OSError | None = None
        self._thread.start()

    def heard(self, source: int, payload: bytes) -> None:
        """See `Witness.heard`."""
        self._waiting.put((source, time.time_ns(), payload))

    def said(self, payload: bytes) -> None:
        """See `Witness.said`."""
        self._waiting.put((self._actions, time.time_ns(), payload))

    def close(self) -> None:
        """Write what is waiting, and end the bag.

        Raises:
            OutputError: the disk did not take it.
        """
        self._waiting.put(None)
        self._thread.join()
        self._writer.close()
        if self._error is not None:
            raise OutputError(f"the bag is not whole ({self._error.strerror or self._error})")

    def _write(self) -> None:
        for entry in iter(self._waiting.get, None):
            try:
                if self._error is None:
                    self._writer.write(*entry)
            except OSError as error:
                self._error = error


def _refuse_existing(folder: Path) -> None:
    if folder.exists() or folder.is_symlink():
        raise OutputError(f"{folder}: exists already; choose another")


def mapping_topics(mapping: Mapping) -> list[tuple[str, MessageType]]:
    """The topics of a mapping: those that are heard, then that of the actions."""
    heard = [(source.topic, source.message) for source in mapping.sources]
    return [*heard, (mapping.sink.topic, mapping.sink.message)]


def check_bag(path: Path, mapping: Mapping, output: Path | None) -> None:
    """See that a bag has a mapping's topics, and that a new one could be written.

    Raises:
        InputError, RecordingError, OutputError: see `read_bag` and `BagWriter`.
    """
    with _opened(path) as reader:
        _connections(path, reader, mapping)
    if output is not None:
        _refuse_existing(output)


def read_bag(path: Path, mapping: Mapping) -> Iterator[tuple[int, int, bytes]]:
    """The messages of a mapping's sources: index of the source, log time in ns, message in CDR.

    Args:
        path: an MCAP file, or the folder of a bag.
        mapping: whose sources.

    Raises:
        InputError: the bag lacks one of the topics, or has it with another type.
        RecordingError: the bag is damaged.
        MissingExtraError: rosbags is not installed.
    """
    indexes = {source.topic: index for index, source in enumerate(mapping.sources)}
    with _opened(path) as reader:
        for connection, now_ns, payload in reader.messages(connections=_connections(path, reader, mapping)):
            yield indexes[connection.topic], now_ns, bytes(payload)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """A bag's reader; whatever is wrong with the file is told in one line."""
    require("rosbags.highlevel", "ros")
    from rosbags.highlevel import AnyReader

    if not path.exists():
        raise InputError(f"{path}: is not there")
    with decoding(path, "a ROS 2 bag"), AnyReader([path], default_typestore=type_store()) as reader:
        yield reader


def _connections(path: Path, reader: Any, mapping: Mapping) -> list[Any]:
    """A bag's connections that carry the topics of a mapping's sources."""
    chosen = []
    for source in mapping.sources:
        there = [connection for connection in reader.connections if connection.topic == source.topic]
        if not there:
            known = ", ".join(sorted({connection.topic for connection in reader.connections})) or "none"
            raise InputError(f"{path}: has no topic {source.topic}; it has {known}")
        for connection in there:
            if connection.msgtype != source.message.name:
                raise InputError(
                    f"{path}: {source.topic} is of {connection.msgtype}, and the mapping says "
                    f"{source.message.name}"
                )
        chosen += there
    return chosen
