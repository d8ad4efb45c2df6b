"""A step log as blocks of steps, with the states between them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ltc_edge.deploy.step_log.container import Container, Message
from ltc_edge.deploy.step_log.facts import Facts
from ltc_edge.deploy.step_log.messages import (
    HEAD,
    SETTINGS,
    SNAPSHOT,
    STEP,
    Snapshot,
    Steps,
    definition,
    lengths,
    settings_from_bytes,
    step_dtype,
)
from ltc_edge.errors import RecordingError


@dataclass(frozen=True)
class Block:
    """Steps that follow each other in a file.

    Attributes:
        steps: array of shape ``[N]``, of `step_dtype`.
        snapshots: states, each before the step of its number.
        share: of the file that is read with it, from 0 to 1.
    """

    steps: Steps
    snapshots: tuple[Snapshot, ...]
    share: float = 0.0


class StepLog:
    """A step log: what it says about itself, and its steps.

    Args:
        path: the file.

    Attributes:
        facts: which controller it is of.
        settings: the supervisor's, field by field of the message.
        is_whole: whether the log was closed; known once all blocks were read.

    Raises:
        RecordingError: it is no step log, or is damaged.
        MissingExtraError: mcap is not installed.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.is_whole = False
        container = Container(path)
        for messages in container.chunks():
            for channel, _, content in messages:
                if _schema_of(container, channel) == SETTINGS:
                    self.facts = Facts.from_metadata(container.channels[channel].metadata, str(path))
                    self.settings = self._read_settings(content)
                    self._check_definitions(container)
                    return
        raise RecordingError(f"{path}: {_other_content(container)}")

    @property
    def observations(self) -> int:
        """The number of observations."""
        return int(self.settings["observations"])

    @property
    def actions(self) -> int:
        """The number of actions."""
        return int(self.settings["actions"])

    def blocks(self) -> Iterator[Block]:
        """The steps, chunk by chunk.

        Raises:
            RecordingError: the log is damaged before its end.
        """
        container = Container(self.path)
        last = -1
        waiting: tuple[Snapshot, ...] = ()  # a state may be in the chunk before that of its step
        for messages in container.chunks():
            block = self._block(container, messages)
            waiting += block.snapshots
            numbers = block.steps["sequence"].astype(np.int64)
            if len(numbers) == 0:
                continue
            if numbers[0] <= last or (np.diff(numbers) <= 0).any():
                raise RecordingError(f"{self.path}: step {numbers[0]} or one after it comes twice.")
            last = int(numbers[-1])
            snapshots = tuple(one for one in waiting if one.sequence <= last)
            yield Block(block.steps, snapshots, container.share)
            waiting = tuple(one for one in waiting if one.sequence > last)
        self.is_whole = container.is_whole

    def _block(self, container: Container, messages: list[Message]) -> Block:
        kinds = {number: _schema_of(container, number) for number in {message[0] for message in messages}}
        self._check_single(container)
        contents = [content for channel, _, content in messages if kinds[channel] == STEP]
        try:
            snapshots = tuple(
                Snapshot.from_bytes(content) for channel, _, content in messages if kinds[channel] == SNAPSHOT
            )
        except ValueError as error:
            raise RecordingError(f"{self.path}: a snapshot cannot be read: {error}.") from None
        return Block(self._steps(contents), snapshots)

    def _steps(self, contents: list[bytes]) -> Steps:
        dtype = step_dtype(self.observations, self.actions)
        if any(len(content) != dtype.itemsize for content in contents):
            raise RecordingError(
                f"{self.path}: a step does not have {self.observations} observations and "
                f"{self.actions} actions."
            )
        steps = np.frombuffer(b"".join(contents), dtype=dtype)
        good = steps["head"] == int.from_bytes(HEAD, "little")
        for name, length in lengths(dtype):
            good &= steps[f"{name}_count"] == length
        if not good.all():
            raise RecordingError(
                f"{self.path}: step {int(np.argmin(good))} of a chunk is no message of its kind."
            )
        return steps

    def _read_settings(self, content: bytes) -> dict[str, Any]:
        try:
            settings = settings_from_bytes(content)
        except ValueError as error:
            raise RecordingError(f"{self.path}: its settings cannot be read: {error}.") from None
        inputs, outputs = settings["observations"], settings["actions"]
        sizes = {"oldest_s": inputs, "low": outputs, "high": outputs, "slew": outputs, "resting": outputs}
        for name, size in sizes.items():
            if len(settings[name]) != size:
                raise RecordingError(
                    f"{self.path}: its settings have {len(settings[name])} {name}, not {size}."
                )
        return settings

    def _check_definitions(self, container: Container) -> None:
        """Messages of another version would be read wrongly."""
        for schema in container.schemas.values():
            if schema.name in (STEP, SNAPSHOT, SETTINGS) and schema.data != definition(schema.name).encode():
                raise RecordingError(
                    f"{self.path}: its {schema.name} is of another version. "
                    "Read it with the ltc-edge that wrote it."
                )

    def _check_single(self, container: Container) -> None:
        topics = [one.topic for one in container.channels.values() if _schema_name(container, one) == STEP]
        if len(topics) > 1:
            raise RecordingError(
                f"{self.path}: holds the steps of several controllers ({', '.join(sorted(topics))}). "
                "Filter it, one controller a file."
            )


def is_step_log(path: Path) -> bool:
    """Whether a file is a step log; False for any other file.

    Raises:
        MissingExtraError: mcap is not installed.
    """
    container = Container(path)
    try:
        next(container.chunks(), None)
    except RecordingError:
        return False
    return any(schema.name == STEP for schema in container.schemas.values())


def _schema_of(container: Container, channel: int) -> str:
    """The message that a channel carries; empty for one that is not known."""
    found = container.channels.get(channel)
    return "" if found is None else _schema_name(container, found)


def _schema_name(container: Container, channel: Any) -> str:
    schema = container.schemas.get(channel.schema_id)
    return "" if schema is None or channel.message_encoding != "cdr" else str(schema.name)


def _other_content(container: Container) -> str:
    names = sorted({str(schema.name) for schema in container.schemas.values()})
    if STEP in names:
        return "was cut off before its first steps were on the disk. There is nothing to read."
    held = f"it holds {', '.join(names[:4])}" if names else "it holds no message"
    return f"is no step log: {held}. Step logs are written by ltc-edge run --log."
