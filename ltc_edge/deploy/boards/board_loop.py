"""The control loop of a board over its serial line: armed, watched, drilled; ``docs/serial-protocol.md``."""

from __future__ import annotations

import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ltc_edge.errors import CheckFailedError, DeviceError
from ltc_edge.runtimes.machine import Float32
from ltc_edge.runtimes.serial_machine import SerialMachine
from ltc_edge.supervision.codes import Mode, Request, status_names

IMAGE, ORDER, REPORT, DRILL = range(8, 12)
IMAGE_BYTES = 8
"""Of the SHA-256 of an image's sources."""

_FACTS = struct.Struct(f"<{IMAGE_BYTES}sIII")
_REPORT = struct.Struct("<IIIIII")


@dataclass(frozen=True)
class Image:
    """What a board says that it runs.

    Attributes:
        sha256: first 16 hexadecimal digits of the hash of its sources.
        simulated: whether its sensors and actuators are the stand-in that a new project comes with.
        period_s: of its control loop.
        watchdog_ms: after which it resets itself once it was armed; 0 where it has no watchdog.
    """

    sha256: str
    simulated: bool
    period_s: float
    watchdog_ms: int


@dataclass(frozen=True, eq=False)
class LoopReport:
    """How a control loop stands.

    Attributes:
        mode: of the supervisor.
        status: bits of its last step.
        seen: bits of all steps since the last report.
        steps: since it started, modulo 2³².
        missed: deadlines in all, while it was not disarmed.
        longest_s: of the steps since the last report.
        action: the last one, ``(M,)``.
    """

    mode: Mode
    status: int
    seen: int
    steps: int
    missed: int
    longest_s: float
    action: Float32

    def to_json(self) -> dict[str, Any]:
        """The report as a document."""
        return {
            "mode": self.mode.name.lower(),
            "status": list(status_names(self.status)),
            "seen": list(status_names(self.seen)),
            "steps": self.steps,
            "missed_deadlines": self.missed,
            "longest_step_us": round(self.longest_s * 1e6, 1),
            "action": [float(value) for value in self.action],
        }


class BoardLoop:
    """The control loop of the board that a machine talks to.

    Args:
        machine: the board.
    """

    def __init__(self, machine: SerialMachine) -> None:
        self._machine = machine
        self._ticks_per_second = machine.device.ticks_per_second
        self._size = _REPORT.size + 4 * machine.device.actions

    def image(self) -> Image:
        """What the board runs.

        Raises:
            DeviceError: its firmware has no control loop.
        """
        answer = self._machine.request(IMAGE, size=_FACTS.size)
        image, simulated, period, watchdog_ms = _FACTS.unpack(answer)
        return Image(image.hex(), bool(simulated), period / self._ticks_per_second, watchdog_ms)

    def order(self, request: Request) -> LoopReport:
        """Ask for something in the loop's next step; the report is of the last one."""
        return self._report(ORDER, struct.pack("<I", request))

    def disarm(self) -> LoopReport:
        """Ask it to disarm, also where an earlier request was interrupted."""
        self._machine.greet()
        return self.order(Request.DISARM)

    def report(self) -> LoopReport:
        """How the loop stands; what was seen and what took longest then count anew."""
        return self._report(REPORT)

    def drill(self, steps: int) -> LoopReport:
        """Let the readings count as lost for so many steps."""
        return self._report(DRILL, struct.pack("<I", steps))

    def wait_for(self, modes: Sequence[Mode], within_s: float) -> tuple[LoopReport, int]:
        """The first report in one of these modes, and the bits of all reports until then.

        Raises:
            CheckFailedError: it does not come.
            DeviceError: the board is gone.
        """
        seen, deadline = 0, time.monotonic() + within_s
        while True:
            report = self.report()
            seen |= report.seen
            if report.mode in modes:
                return report, seen
            if time.monotonic() > deadline:
                raise CheckFailedError(
                    f"the board's loop is {report.mode.name.lower()}, not {modes[0].name.lower()}, after "
                    f"{within_s:g} s ({', '.join(status_names(seen)) or 'no status bit'}; "
                    f"{report.missed} deadlines missed)"
                )

    def _report(self, kind: int, content: bytes = b"") -> LoopReport:
        answer = self._machine.request(kind, content, self._size)
        mode, status, seen, steps, missed, longest = _REPORT.unpack_from(answer)
        action = np.frombuffer(answer, "<f4", offset=_REPORT.size).astype(np.float32)
        try:
            known = Mode(mode)
        except ValueError:
            raise DeviceError(
                f"the board's loop is in a mode {mode} that is not known; flash it anew"
            ) from None
        return LoopReport(known, status, seen, steps, missed, longest / self._ticks_per_second, action)
