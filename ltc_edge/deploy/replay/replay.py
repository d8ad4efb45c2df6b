"""A log, replayed: every output compared with what was logged, bit by bit."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from ltc_edge.arrays import BoolArray
from ltc_edge.deploy.replay.library import OUTPUTS, ReplayLibrary
from ltc_edge.deploy.step_log.messages import CHANGED, PERIODIC, Snapshot, Steps
from ltc_edge.deploy.step_log.reading import StepLog
from ltc_edge.errors import RecordingError

NS = 1e-9


@dataclass(frozen=True)
class Difference:
    """The first step that does not come out as it was logged.

    Attributes:
        logged, replayed: the step, and what came out; single rows of `step_dtype`.
        outputs: which of `OUTPUTS` differ; empty where the supervisor's own state alone does.
        began_ns: when the log's first step began.
    """

    logged: Any
    replayed: Any
    outputs: tuple[str, ...]
    began_ns: int

    @property
    def sequence(self) -> int:
        """Its number."""
        return int(self.logged["sequence"])

    @property
    def at_s(self) -> float:
        """Seconds since the log's first step."""
        return (int(self.logged["monotonic_ns"]) - self.began_ns) * NS


@dataclass
class Replay:
    """What a replay found.

    Attributes:
        steps: that were replayed.
        seconds: from the first to the last of the log's steps.
        differing: steps that did not come out as logged.
        first: the first of them.
        gaps: places where steps are missing in the log; it goes on from the state that was logged there.
        missing: steps that are missing there.
        unreachable: steps before which no state was logged, so that they could not be replayed.
        changed: times when memory was not as the step before had left it, and was logged so.
        modes: steps by the supervisor's mode.
        is_whole: whether the log was closed.
    """

    steps: int = 0
    seconds: float = 0.0
    differing: int = 0
    first: Difference | None = None
    gaps: int = 0
    missing: int = 0
    unreachable: int = 0
    changed: int = 0
    modes: dict[int, int] = field(default_factory=dict)
    is_whole: bool = False


def replay(log: StepLog, library: ReplayLibrary, on_share: Callable[[float], None] | None = None) -> Replay:
    """Step through a log and compare.

    Args:
        log: the log.
        library: what it is replayed through.
        on_share: told the share that is done, from 0 to 1.

    Raises:
        RecordingError: the log is damaged, or of a controller of other sizes.
    """
    if (log.observations, log.actions) != (library.observations, library.actions):
        raise RecordingError(
            f"{log.path}: is of a controller with {log.observations} observations and {log.actions} actions; "
            f"this one has {library.observations} and {library.actions}"
        )
    return _Run(log, library).through(on_share)


class _Run:
    """A replay under way."""

    def __init__(self, log: StepLog, library: ReplayLibrary) -> None:
        self._log = log
        self._library = library
        self._found = Replay()
        self._began_ns: int | None = None
        self._next: int | None = None  # the number of the step that the state is ready for

    def through(self, on_share: Callable[[float], None] | None) -> Replay:
        found = self._found
        for block in self._log.blocks():
            if self._began_ns is None:
                self._began_ns = int(block.steps["monotonic_ns"][0])
            for steps, snapshot in _stretches(block.steps, block.snapshots):
                self._stretch(steps, snapshot)
            found.seconds = (int(block.steps["monotonic_ns"][-1]) - self._began_ns) * NS
            if on_share is not None:
                on_share(block.share)
        if self._began_ns is None:
            raise RecordingError(f"{self._log.path}: holds no step")
        found.is_whole = self._log.is_whole
        return found

    def _stretch(self, steps: Steps, snapshot: Snapshot | None) -> None:
        """Steps that follow each other, the first of them perhaps with its state."""
        first = int(steps["sequence"][0])
        in_doubt = False
        if self._next is not None and first != self._next:
            self._found.gaps += 1
            self._found.missing += first - self._next
            self._next = None
        if snapshot is not None:
            if not self._library.fits(snapshot):
                raise RecordingError(
                    f"{self._log.path}: the state before step {first} is not one of this controller; choose "
                    "the bundle, the --format and the version of ltc-edge that made the log"
                )
            is_expected = snapshot.reason == PERIODIC and self._next is not None
            in_doubt = is_expected and not self._library.has_state(snapshot)
            self._found.changed += bool(snapshot.reason & CHANGED)
            self._library.set_state(snapshot)
            self._next = first
        if self._next is None:
            self._found.unreachable += len(steps)
            return
        self._compare(steps, self._library.run(steps), in_doubt=in_doubt)
        self._next = first + len(steps)

    def _compare(self, logged: Steps, replayed: Steps, *, in_doubt: bool) -> None:
        found = self._found
        wrong = {name: _differs(logged[name], replayed[name]) for name in OUTPUTS}
        rows = np.logical_or.reduce(list(wrong.values()))
        rows[0] |= in_doubt
        found.steps += len(logged)
        found.differing += int(rows.sum())
        for mode, count in zip(*np.unique(logged["mode"], return_counts=True), strict=True):
            found.modes[int(mode)] = found.modes.get(int(mode), 0) + int(count)
        if found.first is None and rows.any():
            row = int(np.argmax(rows))
            outputs = tuple(name for name in OUTPUTS if wrong[name][row])
            found.first = Difference(logged[row], replayed[row], outputs, self._began_ns or 0)


def _stretches(steps: Steps, snapshots: tuple[Snapshot, ...]) -> Iterator[tuple[Steps, Snapshot | None]]:
    """Steps cut where one has a state of its own, or where numbers are missing."""
    numbers = steps["sequence"].astype(np.int64)
    states = {snapshot.sequence: snapshot for snapshot in snapshots}
    cuts = {int(row) + 1 for row in np.flatnonzero(np.diff(numbers) != 1)}
    cuts |= {int(np.searchsorted(numbers, number)) for number in states if number in numbers}
    edges = sorted({0, len(numbers)} | cuts)
    for begin, end in itertools.pairwise(edges):
        yield steps[begin:end], states.get(int(numbers[begin]))


def _differs(logged: npt.NDArray[Any], replayed: npt.NDArray[Any]) -> BoolArray:
    """Rows that differ in any bit."""
    left, right = (np.ascontiguousarray(array).view(np.uint32) for array in (logged, replayed))
    return np.asarray((left != right).reshape(len(logged), -1).any(axis=1))
