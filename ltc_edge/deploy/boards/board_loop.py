"""The control loop of a board over its serial line: armed, watched, drilled; ``docs/serial-protocol.md``."""

from __future__ import annotations

import struct
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from ltc_edge.errors import DeviceError
from ltc_edge.runtimes.machine import Float32
from ltc_edge.runtimes.serial_machine import SerialMachine

IMAGE, ORDER, REPORT, DRILL = range(8, 12)
IMAGE_BYTES = 8
"""Of the SHA-256 of an image's sources."""

ARM, DISARM, TO_SHADOW = 1, 2, 4
MODES = ("disarmed", "shadow", "active", "fallback", "latched")

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
        mode: one of `MODES`.
        status: bits of its last step; ``ltc_supervisor.h`` names them.
        seen: bits of all steps since the last report.
        steps: since it started, modulo 2³².
        missed: deadlines in all, while it was not disarmed.
        longest_s: of the steps since the last report.
        action: the last one, ``(M,)``.
    """

    mode: str
    status: int
    seen: int
    steps: int
    missed: int
    longest_s: float
    action: Float32

    def to_json(self) -> dict[str, Any]:
        """The report as a document."""
        return {
            "mode": self.mode,
            "status": self.status,
            "seen": self.seen,
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

    def order(self, requests: int) -> LoopReport:
        """Ask for `ARM`, `DISARM` or `TO_SHADOW` in the loop's next step."""
        return self._report(ORDER, struct.pack("<I", requests))

    def report(self) -> LoopReport:
        """How the loop stands; what was seen and what took longest then count anew."""
        return self._report(REPORT)

    def drill(self, steps: int) -> LoopReport:
        """Let the readings count as lost for so many steps."""
        return self._report(DRILL, struct.pack("<I", steps))

    def wait_for(self, mode: str, within_s: float) -> tuple[LoopReport, int]:
        """The first report in a mode, and the bits of all reports until then.

        Raises:
            DeviceError: it does not come.
        """
        seen, deadline = 0, time.monotonic() + within_s
        while True:
            report = self.report()
            seen |= report.seen
            if report.mode == mode:
                return report, seen
            if time.monotonic() > deadline:
                raise DeviceError(
                    f"the board's loop is {report.mode}, not {mode}, after {within_s:g} s "
                    f"(status {seen:#x}, {report.missed} deadlines missed)"
                )

    def _report(self, kind: int, content: bytes = b"") -> LoopReport:
        answer = self._machine.request(kind, content, self._size)
        mode, status, seen, steps, missed, longest = _REPORT.unpack_from(answer)
        action = np.frombuffer(answer, "<f4", offset=_REPORT.size).astype(np.float32)
        name = MODES[mode] if mode < len(MODES) else f"mode {mode}"
        return LoopReport(name, status, seen, steps, missed, longest / self._ticks_per_second, action)
