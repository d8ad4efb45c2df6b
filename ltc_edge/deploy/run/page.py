"""What a loop is doing, from the page of memory that it writes: ``page.h`` of ``linux_rt_loop``."""

from __future__ import annotations

import mmap
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ltc_edge.errors import DeviceError
from ltc_edge.runtimes.machine import Float32

MAGIC, VERSION = 0x5043544C, 1
MODES = ("disarmed", "shadow", "active", "fallback", "latched")
ENDS = (None, "stopped", "finished", "input ended", "actuators lost", "controller lost")
"""By the number of a loop_end."""
BUCKETS = 1920
_FINE = 32  # buckets for a power of two
_TRIES, _PAUSE_S = 1000, 50e-6

_IO = ("taken", "malformed", "old", "foreign", "not_sent")


def page_layout(observations: int, actions: int) -> npt.DTypeLike:
    """The page as the C compiler lays it out."""
    counts = np.dtype(
        [
            *((name, "<u8") for name in ("periods", "steps", "missed", "longest_run", "left_out")),
            ("in_mode", "<u8", len(MODES)),
            ("with_bit", "<u8", 32),
            *((f"io_{name}", "<u8") for name in _IO),
            ("log_dropped", "<u8"),
            ("at_ns", "<i8"),
            ("mode", "<u4"),
            ("status", "<u4"),
            ("dt_s", "<f4"),
            ("action", "<f4", (actions,)),
            ("proposal", "<f4", (actions,)),
            ("observation", "<f4", (observations,)),
            ("age_s", "<f4", (observations,)),
        ],
        align=True,
    )
    histogram = [("count", "<u8"), ("largest", "<u8"), ("sum", "<u8"), ("bucket", "<u8", BUCKETS)]
    words = ("magic", "version", "observations", "actions", "bytes", "end", "sequence", "running")
    return np.dtype(
        [
            *((name, "<u4") for name in words),
            ("where", "S96"),
            ("counts", counts),
            ("latency", histogram),
            ("execution", histogram),
            ("added", histogram),
        ],
        align=True,
    )


@dataclass(frozen=True)
class Times:
    """A histogram of times, in nanoseconds.

    Attributes:
        count: of times.
        largest: of them, exact.
        total: their sum.
        bucket: ``(1920,)``, how many in each; a bucket is 1/32 of its power of two wide.
    """

    count: int
    largest: int
    total: int
    bucket: npt.NDArray[np.uint64]

    def percentile_us(self, share: float) -> float | None:
        """The time in µs that this share of all did not exceed, rounded up to its bucket."""
        if not self.bucket.any():
            return None
        below = np.cumsum(self.bucket)
        index = int(np.searchsorted(below, max(share * float(below[-1]), 1.0)))
        return min(_end_of(index), self.largest) * 1e-3

    def below(self, nanoseconds: int) -> int:
        """How many are shorter than a power of two of nanoseconds."""
        shift = nanoseconds.bit_length() - 6
        first = (shift + 1) * _FINE if shift >= 0 else nanoseconds
        return int(self.bucket[: min(first, BUCKETS)].sum())


def _end_of(bucket: int) -> int:
    """The largest time of a bucket."""
    if bucket < 2 * _FINE:
        return bucket
    shift = bucket // _FINE - 1
    return ((bucket % _FINE + _FINE) << shift) + (1 << shift) - 1


@dataclass(frozen=True)
class Snapshot:
    """A page at one moment.

    Attributes:
        where: where readings come from.
        running: whether the first period has begun.
        end: why it ended; None while it goes on.
        counts: of periods and steps, by their name in page.h.
        modes: steps in each mode, by its name.
        with_bit: ``(32,)``, steps whose status had this bit.
        io: messages by what became of them.
        mode: of the supervisor.
        status: of the last step.
        action, proposal: ``(M,)``, of the last step.
        observation, age_s: ``(I,)``; an age is infinite where a signal never came.
        latency, execution, added: times.
    """

    where: str
    running: bool
    end: str | None
    counts: dict[str, int]
    modes: dict[str, int]
    with_bit: tuple[int, ...]
    io: dict[str, int]
    mode: str
    status: int
    action: Float32
    proposal: Float32
    observation: Float32
    age_s: Float32
    latency: Times
    execution: Times
    added: Times


class Page:
    """A page, read while a loop writes it.

    Args:
        handle: of the file that the loop has as ``--page``.
        observations: of its controller.
        actions: of its controller.
    """

    def __init__(self, handle: int, observations: int, actions: int) -> None:
        self._layout = np.dtype(page_layout(observations, actions))
        self._shape = (observations, actions)
        self._handle = handle
        self._memory: mmap.mmap | None = None

    def is_written(self) -> bool:
        """Whether the loop has begun, and the page is one.

        Raises:
            DeviceError: it is a page of another controller or version.
        """
        if self._memory is None:
            try:
                self._memory = mmap.mmap(self._handle, self._layout.itemsize, prot=mmap.PROT_READ)
            except ValueError:  # the file is still empty
                return False
        view = self._copy()
        if int(view["magic"]) != MAGIC:
            return False
        found = tuple(int(view[name]) for name in ("version", "observations", "actions", "bytes"))
        if found != (VERSION, *self._shape, self._layout.itemsize):
            raise DeviceError(f"the loop's page is of another controller or version: {found}")
        return bool(view["running"])

    def read(self) -> Snapshot:
        """All that the page says, of one moment."""
        view = self._consistent()
        counts = view["counts"]
        names = ("periods", "steps", "missed", "longest_run", "left_out", "log_dropped")
        return Snapshot(
            where=bytes(view["where"]).decode("ascii", "replace"),
            running=bool(view["running"]),
            end=ENDS[min(int(view["end"]), len(ENDS) - 1)],
            counts={name: int(counts[name]) for name in names},
            modes=dict(zip(MODES, counts["in_mode"].tolist(), strict=True)),
            with_bit=tuple(counts["with_bit"].tolist()),
            io={name: int(counts[f"io_{name}"]) for name in _IO},
            mode=MODES[min(int(counts["mode"]), len(MODES) - 1)],
            status=int(counts["status"]),
            action=counts["action"].copy(),
            proposal=counts["proposal"].copy(),
            observation=counts["observation"].copy(),
            age_s=counts["age_s"].copy(),
            latency=_times(view["latency"]),
            execution=_times(view["execution"]),
            added=_times(view["added"]),
        )

    def close(self) -> None:
        """Let go of the memory."""
        if self._memory is not None:
            self._memory.close()
            self._memory = None

    def _copy(self) -> Any:
        assert self._memory is not None
        return np.frombuffer(self._memory[:], self._layout)[0]

    def _consistent(self) -> Any:
        """A copy that no change was under way in."""
        for _ in range(_TRIES):
            before, view, after = self._sequence(), self._copy(), self._sequence()
            if before == after and before % 2 == 0:
                return view
            time.sleep(_PAUSE_S)
        return view  # of a loop that was killed within a change

    def _sequence(self) -> int:
        assert self._memory is not None
        offset = self._layout.fields["sequence"][1]  # type: ignore[index]
        return int.from_bytes(self._memory[offset : offset + 4], "little")


def _times(view: Any) -> Times:
    return Times(int(view["count"]), int(view["largest"]), int(view["sum"]), view["bucket"].copy())
