"""The messages of a step log: their definitions, and their bytes as arrays.

They are CDR (OMG DDS-XTypes 1.3, version 1 of the encoding), little-endian. All fields stand in an order that
needs no padding, and every message of one log is as long as the others of its kind, so that thousands of
steps are one array.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from importlib import resources
from typing import Any

import numpy as np
import numpy.typing as npt

STEP = "ltc_edge_msgs/msg/Step"
SNAPSHOT = "ltc_edge_msgs/msg/Snapshot"
SETTINGS = "ltc_edge_msgs/msg/Settings"

TOPICS = {STEP: "step", SNAPSHOT: "snapshot", SETTINGS: "settings"}
"""The last part of each message's topic; the first is the controller's name in C."""

HEAD = bytes([0, 1, 0, 0])
"""Before every message: CDR, little-endian, no options."""

START, GAP, PERIODIC, CHANGED = 1, 2, 4, 8
"""Why a snapshot was taken."""

Words = npt.NDArray[np.float32]
Steps = npt.NDArray[Any]
"""A structured array of steps, as `step_dtype` says."""

_NUMBERS = {"uint32": "<u4", "uint64": "<u8", "int64": "<i8", "float32": "<f4"}


@functools.cache
def definition(name: str) -> str:
    """The text of a message's definition, as ROS 2 writes it."""
    file = resources.files(__package__) / "messages" / f"{name.rpartition('/')[2]}.msg"
    return file.read_text("utf-8")


def fields(name: str) -> list[tuple[str, str]]:
    """Type and name of every field of a message, in order."""
    lines = (line.split() for line in definition(name).splitlines())
    return [(line[0], line[1]) for line in lines if len(line) == 2 and "=" not in line[1] and line[0] != "#"]


@functools.cache
def step_dtype(observations: int, actions: int) -> np.dtype[Any]:
    """The bytes of a step of a controller with so many observations and actions.

    A sequence ``x`` is preceded by its length, ``x_count``; ``head`` is the message's.
    """
    sizes = {"observation": observations, "age_s": observations}
    parts: list[Any] = [("head", "<u4")]
    for kind, field in fields(STEP):
        if kind.endswith("[]"):
            size = sizes.get(field, actions)
            parts += [(f"{field}_count", "<u4"), (field, _NUMBERS[kind[:-2]], (size,))]
        else:
            parts.append((field, _NUMBERS[kind]))
    return np.dtype(parts)


def new_steps(count: int, observations: int, actions: int) -> Steps:
    """So many steps, all zero but for what makes them messages."""
    steps = np.zeros(count, dtype=step_dtype(observations, actions))
    steps["head"] = int.from_bytes(HEAD, "little")
    for field, size in lengths(steps.dtype):
        steps[f"{field}_count"] = size
    return steps


def lengths(dtype: np.dtype[Any]) -> list[tuple[str, int]]:
    """Every sequence of a step, and how long it is."""
    assert dtype.names is not None
    return [(name, dtype[name].shape[0]) for name in dtype.names if dtype[name].shape]


@dataclass(frozen=True)
class Snapshot:
    """All that a step depends on but for its input, as it was before the step.

    Attributes:
        sequence: number of the step.
        reason: of `START`, `GAP`, `PERIODIC`, `CHANGED`.
        supervisor: its memory, as it lies there.
        room: floats of the supervisor, float32.
        context: the controller's, as it lies in memory.
    """

    sequence: int
    reason: int
    supervisor: bytes
    room: Words
    context: bytes

    @classmethod
    def from_bytes(cls, message: bytes) -> Snapshot:
        """From a message.

        Raises:
            ValueError: it is none.
        """
        reader = _Reader(message)
        sequence, reason = int(reader.one("<u8")), int(reader.one("<u4"))
        supervisor = reader.many("<u1").tobytes()
        room = reader.many("<f4")
        context = reader.many("<u1").tobytes()
        reader.end()
        return cls(sequence, reason, supervisor, room, context)

    def to_bytes(self) -> bytes:
        """The message."""
        numbers = np.uint64(self.sequence).tobytes() + np.uint32(self.reason).tobytes()
        parts = (self.supervisor, self.room.astype("<f4").tobytes(), self.context)
        counts = (len(self.supervisor), len(self.room), len(self.context))
        sequences = (np.uint32(count).tobytes() + part for count, part in zip(counts, parts, strict=True))
        return HEAD + numbers + b"".join(sequences)


def settings_from_bytes(message: bytes) -> dict[str, Any]:
    """The fields of a settings message: whole numbers, floats, and arrays of float32.

    Raises:
        ValueError: it is none.
    """
    reader = _Reader(message)
    found: dict[str, Any] = {}
    for kind, field in fields(SETTINGS):
        if kind.endswith("[]"):
            found[field] = reader.many(_NUMBERS[kind[:-2]])
        else:
            found[field] = reader.one(_NUMBERS[kind]).item()
    reader.end()
    return found


def settings_to_bytes(values: dict[str, Any]) -> bytes:
    """The message of such fields."""
    parts = [HEAD]
    for kind, field in fields(SETTINGS):
        if kind.endswith("[]"):
            array = np.asarray(values[field], dtype=_NUMBERS[kind[:-2]]).reshape(-1)
            parts += [np.uint32(array.size).tobytes(), array.tobytes()]
        else:
            parts.append(np.asarray(values[field], dtype=_NUMBERS[kind]).tobytes())
    return b"".join(parts)


class _Reader:
    """Fields of a message, one after the other."""

    def __init__(self, message: bytes) -> None:
        if message[: len(HEAD)] != HEAD:
            raise ValueError("it is not little-endian CDR")
        self._message = message
        self._at = len(HEAD)

    def one(self, code: str) -> Any:
        """A number."""
        return self._take(code, 1)[0]

    def many(self, code: str) -> Any:
        """A sequence of numbers."""
        return self._take(code, int(self.one("<u4")))

    def _take(self, code: str, count: int) -> npt.NDArray[Any]:
        size = count * np.dtype(code).itemsize
        if size > len(self._message) - self._at:
            raise ValueError("it ends within a field")
        found = np.frombuffer(self._message, dtype=code, count=count, offset=self._at)
        self._at += size
        return found

    def end(self) -> None:
        """No more may follow."""
        if self._at != len(self._message):
            raise ValueError("more follows than its fields")
