"""Writing a step log from Python: the same messages as the real-time loop's, by the ``mcap`` package.

For loops that wait for more than this: a node of ROS 2, a bridge. What is written has been handed to the
system when `StepLogWriter.add` returns, half a second of steps at a time; a thread has the disk hold it.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from ltc_edge.deploy.step_log.facts import Facts
from ltc_edge.deploy.step_log.messages import (
    SETTINGS,
    SNAPSHOT,
    STEP,
    TOPICS,
    Snapshot,
    Steps,
    definition,
    settings_to_bytes,
)
from ltc_edge.errors import OutputError, require
from ltc_edge.supervision.settings import Settings

LIBRARY = "ltc-edge step log 1"
CHUNK_S, SYNC_S = 0.5, 1.0
_LEAST_CHUNK, _MOST_CHUNK = 1 << 12, 1 << 20
_CLOSE_S = 10.0


class StepLogWriter:
    """A step log that is being written.

    Args:
        path: the file, new unless ``force``.
        facts: what it says about itself.
        settings: the supervisor's.
        c_name: the controller's name in C, which its topics begin with.
        force: replace a file that is there.

    Raises:
        OutputError: there is such a file, or it cannot be written.
        MissingExtraError: mcap is not installed.
    """

    def __init__(
        self, path: Path, facts: Facts, settings: Settings, c_name: str, *, force: bool = False
    ) -> None:
        mcap = require("mcap.writer", "logs")
        self._path = path
        try:
            if force:
                path.unlink(missing_ok=True)
            self._file = path.open("xb")
        except FileExistsError:
            raise OutputError(f"{path}: exists already; choose another name, or remove it") from None
        except OSError as error:
            raise OutputError(f"{path}: cannot be written ({error.strerror or error})") from None
        self._writer = mcap.Writer(
            self._file,
            chunk_size=_chunk_size(facts, settings),
            compression=mcap.CompressionType.NONE,
            enable_data_crcs=True,
        )
        self._clock_ns = time.time_ns() - time.monotonic_ns()
        self._channels: dict[str, int] = {}
        self._writer.start(profile="ros2", library=LIBRARY)
        self._register(c_name, facts.to_metadata())
        content = settings_to_bytes(settings_fields(settings))
        self._message(SETTINGS, 0, time.monotonic_ns(), content)
        self._closing = threading.Event()
        self._syncing = threading.Thread(target=self._sync, daemon=True, name="step log")
        self._syncing.start()

    def add(self, step: Steps, snapshot: Snapshot | None = None) -> None:
        """Append a step, and the state before it.

        Args:
            step: one row of `step_dtype`, as `new_steps` makes it.
            snapshot: the state; where not given, replay goes on from the step before.

        Raises:
            OutputError: the disk is full, or gone; the log ends with its last whole chunk.
        """
        number, monotonic_ns = int(step["sequence"].item()), int(step["monotonic_ns"].item())
        if snapshot is not None:
            self._message(SNAPSHOT, number, monotonic_ns, snapshot.to_bytes())
        self._message(STEP, number, monotonic_ns, step.tobytes())

    def close(self) -> None:
        """Write what is left, with the index.

        Raises:
            OutputError: it cannot be written.
        """
        if self._closing.is_set():
            return
        self._closing.set()
        self._syncing.join(_CLOSE_S)
        try:
            self._writer.finish()
            self._file.flush()
            os.fdatasync(self._file.fileno())
        except OSError as error:
            raise self._failure(error) from None
        finally:
            with contextlib.suppress(OSError):  # of what was told already
                self._file.close()

    def __enter__(self) -> StepLogWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _register(self, c_name: str, metadata: Mapping[str, str]) -> None:
        for name, topic in TOPICS.items():
            schema = self._writer.register_schema(name, "ros2msg", definition(name).encode())
            self._channels[name] = self._writer.register_channel(
                f"/{c_name}/{topic}", "cdr", schema, dict(metadata)
            )

    def _message(self, name: str, sequence: int, monotonic_ns: int, content: bytes) -> None:
        time_ns = max(0, monotonic_ns + self._clock_ns)
        try:
            self._writer.add_message(self._channels[name], time_ns, content, time_ns, sequence & 0xFFFFFFFF)
            self._file.flush()  # a chunk that was written is not lost with this process
        except OSError as error:
            raise self._failure(error) from None

    def _failure(self, error: OSError) -> OutputError:
        return OutputError(f"{self._path}: the log ends here ({error.strerror or error})")

    def _sync(self) -> None:
        """Once a second; an error is met again, and told, when the log is closed."""
        while not self._closing.wait(SYNC_S):
            try:
                os.fdatasync(self._file.fileno())
            except OSError:
                return


def settings_fields(settings: Settings) -> dict[str, Any]:
    """Settings as the fields of their message."""
    counted = {"observations": len(settings.observations), "actions": len(settings.actions)}
    gains = [gain for row in settings.pd_gain for gain in row]
    return vars(settings) | counted | {"fallback": int(settings.fallback), "pd_gain": gains}


def _chunk_size(facts: Facts, settings: Settings) -> int:
    """Bytes of half a second."""
    step = 150 + 4 * (2 * len(settings.observations) + 3 * len(settings.actions))
    steps = CHUNK_S / facts.period_s if facts.period_s > 0 else 0.0
    return int(min(max(steps * step, _LEAST_CHUNK), _MOST_CHUNK))
