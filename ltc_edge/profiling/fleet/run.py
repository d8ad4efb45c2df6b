"""Profiling the devices of a fleet side by side: whatever becomes of one, the others go on."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal

from ltc_edge.errors import LtcEdgeError
from ltc_edge.profiling.ending import EndedError, Ending
from ltc_edge.profiling.fleet.devices import THIS_MACHINE, FleetDevice, in_lanes
from ltc_edge.profiling.profile import ProfileInterruptedError, profile
from ltc_edge.profiling.subject import Subject

OnShare = Callable[[str, str, float], None]
Status = Literal["done", "partial", "failed", "untouched"]
INTERRUPTED = "it was interrupted"


@dataclass(frozen=True)
class Outcome:
    """What became of a device.

    Attributes:
        device: which.
        status: all was measured; it ended before that; nothing was measured; it was not even asked.
        document: its profile; None where nothing was measured.
        error: why it ended early; None where it did not.
        seconds: that it took.
    """

    device: FleetDevice
    status: Status
    document: dict[str, Any] | None = None
    error: str | None = None
    seconds: float = 0.0


@dataclass(frozen=True)
class FleetRun:
    """Attributes: ``outcomes`` in the order of the devices; whether the user ``interrupted``."""

    outcomes: tuple[Outcome, ...]
    interrupted: bool


def profile_fleet(
    subject: Subject,
    devices: Sequence[FleetDevice],
    *,
    parallel: int,
    timeout_s: float,
    on_share: OnShare,
    on_done: Callable[[Outcome], None],
) -> FleetRun:
    """Profile a bundle or a model on every device.

    This machine comes first, alone, since whatever else it does would be in its figures. Then the others,
    one at a time of those that share a machine, a port or the emulator.

    Args:
        subject: what to profile.
        devices: where, and how.
        parallel: how many at once.
        timeout_s: how long each may take; one that takes longer is ended, and what it measured is kept.
        on_share: told which device is at which stage, and the share of it that is done; from any thread.
        on_done: told what became of each, when it is known; one at a time, from any thread.

    Raises:
        LtcEdgeError: ``on_done`` failed; the devices were ended.
    """
    run = _Run(subject, timeout_s, on_share, on_done)
    lanes = in_lanes(devices)
    here = [lane for lane in lanes if lane[0].lane == THIS_MACHINE]
    elsewhere = [lane for lane in lanes if lane[0].lane != THIS_MACHINE]
    interrupted = False
    with ThreadPoolExecutor(parallel, thread_name_prefix="profile") as workers:
        for batch in (here, elsewhere):
            for lane in batch:
                workers.submit(run.follow, lane)
            labels = [device.label for lane in batch for device in lane]
            while run.awaits(labels):
                try:
                    run.await_one()
                except KeyboardInterrupt:
                    # Those that run end in order, with what they have measured; the others are not begun.
                    interrupted = True
                    run.end(INTERRUPTED)
    if run.broke is not None:
        raise run.broke
    outcomes = tuple(run.outcomes[device.label] for device in devices)
    return FleetRun(outcomes, interrupted)


class _Run:
    """What the threads of a run share.

    Attributes:
        outcomes: so far, by label.
        broke: what broke outside of any device, and ended them all.
    """

    def __init__(
        self,
        subject: Subject,
        timeout_s: float,
        on_share: OnShare,
        on_done: Callable[[Outcome], None],
    ) -> None:
        self._subject, self._timeout_s = subject, timeout_s
        self._on_share, self._on_done = on_share, on_done
        self._lock, self._told = threading.Lock(), threading.Lock()
        self._endings: dict[str, Ending] = {}
        self._over = False
        self._news = queue.SimpleQueue[None]()
        self.outcomes: dict[str, Outcome] = {}
        self.broke: BaseException | None = None

    def follow(self, lane: Sequence[FleetDevice]) -> None:
        """Measure the devices of a lane, one after the other; in a thread."""
        for device in lane:
            try:
                outcome = self._outcome(device)
                with self._told:
                    self._on_done(outcome)
                    self.outcomes[device.label] = outcome
            except BaseException as error:  # raised again by `profile_fleet`
                self.broke = error
                self.end("what was measured cannot be kept")
            self._news.put(None)

    def awaits(self, labels: Sequence[str]) -> bool:
        """Whether one of these devices is not done yet."""
        return self.broke is None and any(label not in self.outcomes for label in labels)

    def await_one(self) -> None:
        """Wait until one more device is done; in the thread that signals interrupt."""
        self._news.get()

    def end(self, why: str) -> None:
        """End the devices that run, and begin no more."""
        with self._lock:
            self._over = True
            running = list(self._endings.values())
        for ending in running:
            ending.end(why)

    def _outcome(self, device: FleetDevice) -> Outcome:
        ending = Ending()
        with self._lock:
            if self._over:
                return Outcome(device, "untouched")
            self._endings[device.label] = ending
        late = f"it took longer than --device-timeout {self._timeout_s:g}"
        limit = threading.Timer(self._timeout_s, ending.end, (late,))
        limit.daemon = True
        limit.start()
        start = time.monotonic()

        def passed() -> float:
            return round(time.monotonic() - start, 3)

        try:
            document = profile(self._subject, device.request, self._say(device), ending)
        except ProfileInterruptedError as error:
            return Outcome(device, "partial", error.document, str(error.cause), passed())
        except (LtcEdgeError, EndedError) as error:
            return Outcome(device, "failed", None, str(error), passed())
        except OSError as error:
            why = f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror or error)
            return Outcome(device, "failed", None, why, passed())
        finally:
            limit.cancel()
            with self._lock:
                del self._endings[device.label]
        return Outcome(device, "done", document, None, passed())

    def _say(self, device: FleetDevice) -> Callable[[str, float], None]:
        return lambda stage, share: self._on_share(device.label, stage, share)
