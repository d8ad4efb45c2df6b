"""MCAP files and rosbag2 folders: numeric leaves of ROS 2 messages, on the time of the first chosen topic.

A column is called ``/topic.field.subfield[0]``. Other topics than the first are held at their last message
(zero-order hold): that is what a controller on the robot would have read at that moment.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ltc_edge.arrays import FloatArray
from ltc_edge.errors import RecordingError, require
from ltc_edge.logs.columns import check_columns
from ltc_edge.logs.decoding import decoding
from ltc_edge.logs.recording import Recording, checked_recording

BAG_TIME = "time"
"""The one time column of a bag: the log time of the first chosen topic."""

# Longer arrays are images and point clouds; a column for each of their entries helps nobody.
_LONGEST_ARRAY = 4096

# Where a leaf stands in a message: field names and indexes, outermost first.
_Leaf = tuple[str | int, ...]


@dataclasses.dataclass(frozen=True)
class _Series:
    """The chosen leaves of one topic: log times [K] in nanoseconds, ascending, and values [K, C]."""

    stamps_ns: npt.NDArray[np.int64]
    values: FloatArray


def bag_columns(path: Path) -> tuple[str, ...]:
    """Names of the numeric columns of a bag, from the first message of each topic.

    Raises:
        RecordingError: the bag is damaged.
        MissingExtraError: rosbags is not installed.
    """
    with decoding(path, "a ROS 2 bag"), _open_bag(path) as reader:
        return tuple(name for leaves in _topics(reader).values() for name in leaves)


def read_bag(path: Path, columns: Sequence[str] | None, time: str | None) -> Recording:
    """Read columns of an MCAP file or rosbag2 folder; only the topics they belong to are decoded.

    Args:
        path: an ``.mcap`` or ``.db3`` file, or the folder of a bag.
        columns: names to read; None reads every numeric leaf of every topic.
        time: ``"time"`` or None; both give the log time.

    Raises:
        RecordingError: a damaged bag, a missing column, arrays that change length, a value not finite.
        MissingExtraError: rosbags is not installed.
    """
    if time not in (None, BAG_TIME):
        raise RecordingError(
            f"{path}: has no time column {time!r}. A bag's time is its log time, called {BAG_TIME!r}."
        )
    with decoding(path, "a ROS 2 bag"), _open_bag(path) as reader:
        topics = _topics(reader)
        leaves = {name: (topic, leaf) for topic, found in topics.items() for name, leaf in found.items()}
        if columns is None:
            columns = list(leaves)
        if not columns:
            raise RecordingError(f"{path}: has no numeric value in any message. Record other topics.")
        check_columns(columns, list(leaves), str(path))
        chosen: dict[str, list[_Leaf]] = {}
        for name in columns:
            topic, leaf = leaves[name]
            chosen.setdefault(topic, []).append(leaf)
        series = {topic: _read_topic(path, reader, topic, wanted) for topic, wanted in chosen.items()}
    stamps_ns, held = _hold(path, series)
    order = [leaves[name] for name in columns]
    values = np.stack([held[topic][:, chosen[topic].index(leaf)] for topic, leaf in order], axis=1)
    return checked_recording(path, columns, values, (stamps_ns - stamps_ns[:1]) / 1e9)


def _open_bag(path: Path) -> Any:
    """A reader for the bag; message types it does not carry are taken from the latest ROS 2."""
    highlevel = require("rosbags.highlevel", "logs")
    typesys = require("rosbags.typesys", "logs")
    return highlevel.AnyReader([path], default_typestore=typesys.get_typestore(typesys.Stores.LATEST))


def _topics(reader: Any) -> dict[str, dict[str, _Leaf]]:
    """Topics with messages, and the numeric leaves of the first message of each."""
    found: dict[str, dict[str, _Leaf]] = {}
    for connection in reader.connections:
        if connection.topic in found:
            continue
        for _, _, raw in reader.messages(connections=[connection]):
            message = reader.deserialize(raw, connection.msgtype)
            found[connection.topic] = {
                connection.topic + _suffix(leaf): leaf for leaf in _leaves(message, ())
            }
            break
    return found


def _leaves(value: Any, path: _Leaf) -> Iterator[_Leaf]:
    """Every numeric leaf of a message."""
    if isinstance(value, bool | int | float | np.number | np.bool_):
        yield path
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield from _leaves(getattr(value, field.name), (*path, field.name))
    elif isinstance(value, list | np.ndarray) and len(value) <= _LONGEST_ARRAY:
        for index, item in enumerate(value):
            yield from _leaves(item, (*path, index))


def _suffix(leaf: _Leaf) -> str:
    """How a leaf is written after its topic."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in leaf)


def _read_topic(path: Path, reader: Any, topic: str, leaves: Sequence[_Leaf]) -> _Series:
    """Decode one topic."""
    connections = [connection for connection in reader.connections if connection.topic == topic]
    stamps: list[int] = []
    rows: list[list[float]] = []
    for connection, stamp_ns, raw in reader.messages(connections=connections):
        message = reader.deserialize(raw, connection.msgtype)
        stamps.append(stamp_ns)
        try:
            rows.append([float(_follow(message, leaf)) for leaf in leaves])
        except (IndexError, AttributeError):
            raise RecordingError(
                f"{path}: message {len(stamps)} of {topic} lacks a value that its first message has "
                f"({', '.join(_suffix(leaf)[1:] for leaf in leaves[:4])}). Choose columns that all carry."
            ) from None
    stamps_ns = np.array(stamps, dtype=np.int64)
    order = np.argsort(stamps_ns, kind="stable")
    return _Series(stamps_ns[order], np.array(rows, dtype=np.float64)[order])


def _follow(message: Any, leaf: _Leaf) -> Any:
    """The value of one leaf."""
    for step in leaf:
        message = message[step] if isinstance(step, int) else getattr(message, step)
    return message


def _hold(path: Path, series: dict[str, _Series]) -> tuple[npt.NDArray[np.int64], dict[str, FloatArray]]:
    """Bring every topic to the times of the first one; rows before each has spoken are dropped.

    Returns:
        log times ``[T]`` in nanoseconds, and per topic the values ``[T, C]``.
    """
    clock_topic, clock = next(iter(series.items()))
    begin = max(int(one.stamps_ns[0]) for one in series.values())
    stamps_ns = clock.stamps_ns[clock.stamps_ns >= begin]
    if len(stamps_ns) < 2:
        late = max(series, key=lambda topic: int(series[topic].stamps_ns[0]))
        raise RecordingError(
            f"{path}: {len(stamps_ns)} messages of {clock_topic} are left once every chosen topic has spoken "
            f"(the last is {late}); two are needed. Choose topics that were recorded together."
        )
    held: dict[str, FloatArray] = {}
    for topic, one in series.items():
        if topic == clock_topic:
            held[topic] = one.values[len(clock.stamps_ns) - len(stamps_ns) :]
        else:
            held[topic] = one.values[np.searchsorted(one.stamps_ns, stamps_ns, side="right") - 1]
    return stamps_ns, held
