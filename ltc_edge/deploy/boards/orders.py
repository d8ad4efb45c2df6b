"""Orders to a board's control loop, and the drill that tries its fallback before it is needed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ltc_edge.deploy.boards.board_loop import BoardLoop, LoopReport
from ltc_edge.deploy.boards.project import Project
from ltc_edge.errors import CheckFailedError
from ltc_edge.runtimes.serial_lines import Line
from ltc_edge.runtimes.serial_machine import SerialMachine
from ltc_edge.supervision.codes import STATUS, Mode, Request, status_names

DRILL_STEPS = 20
ORDERS = {"arm": Request.ARM, "disarm": Request.DISARM, "shadow": Request.SHADOW, "report": Request.NONE}
"""What can be asked of a board's loop; a report asks for nothing."""

_REACHES = {Request.ARM: Mode.ACTIVE, Request.DISARM: Mode.DISARMED, Request.SHADOW: Mode.SHADOW}
_WITHIN_S, _WITHIN_PERIODS = 5.0, 200


@dataclass(frozen=True)
class Drill:
    """What a drill of the fallback showed.

    Attributes:
        latched: whether the loop stayed in its fallback, as settings may ask for; else it was active again.
        seen: status bits from the loss of the readings to the fallback.
        missed: deadlines, in all of the drill.
        longest_s: of its steps.
    """

    latched: bool
    seen: int
    missed: int
    longest_s: float

    def to_json(self) -> dict[str, Any]:
        """As a document."""
        return {
            "latched": self.latched,
            "seen": list(status_names(self.seen)),
            "missed_deadlines": self.missed,
            "longest_step_us": round(self.longest_s * 1e6, 1),
        }


def run_drill(loop: BoardLoop, period_s: float) -> Drill:
    """Shadow, arm, lose the readings, see the fallback, see it recover or latch, disarm.

    Raises:
        CheckFailedError: a mode does not come, or the fallback does not say that readings were lost. The loop
            was told to disarm.
        DeviceError: the board is gone.
    """
    within_s = _within_s(period_s)
    reports = [loop.report()]
    try:
        for request, mode in ((Request.SHADOW, Mode.SHADOW), (Request.ARM, Mode.ACTIVE)):
            loop.order(request)
            reports.append(loop.wait_for([mode], within_s)[0])
        started = loop.drill(DRILL_STEPS)
        lost, seen = loop.wait_for([Mode.FALLBACK, Mode.LATCHED], within_s)
        seen |= started.seen
        if not seen & STATUS["stale-input"].value:
            raise CheckFailedError(
                f"the board fell back, and not for its lost readings: {', '.join(status_names(seen))}"
            )
        reports += [started, lost]
        if lost.mode == Mode.FALLBACK:
            reports.append(loop.wait_for([Mode.ACTIVE], within_s)[0])
    finally:
        loop.disarm()
    end, _ = loop.wait_for([Mode.DISARMED], within_s)
    longest_s = max(report.longest_s for report in [*reports, end])
    return Drill(lost.mode == Mode.LATCHED, seen, end.missed - reports[0].missed, longest_s)


def give_order(line: Line, project: Project, request: Request) -> LoopReport:
    """Ask a board's loop for something, and wait until it is so; the line is closed in the end.

    Args:
        line: to the board.
        project: of the controller that it should run.
        request: one of `ORDERS`.

    Raises:
        DeviceError: the board does not answer, is gone, or runs another controller.
        CheckFailedError: the loop does not do so; the message has its status.
    """
    sources = project.sources
    machine = SerialMachine(line, project.controller, sources.item_bytes, version=sources.version())
    try:
        loop = BoardLoop(machine)
        if request == Request.NONE:
            return loop.report()
        loop.order(request)
        return loop.wait_for([_REACHES[request]], _within_s(project.period_s))[0]
    finally:
        machine.close()


def _within_s(period_s: float) -> float:
    """Seconds for a mode to come: a step takes a period, and recovering takes many."""
    return _WITHIN_S + _WITHIN_PERIODS * period_s
