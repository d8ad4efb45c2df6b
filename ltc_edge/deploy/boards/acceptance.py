"""Whether a board runs what it was given: its version, its image, its selftest, and steps bit for bit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ltc_edge.deploy.boards.board_loop import BoardLoop, Image
from ltc_edge.deploy.boards.orders import Drill, run_drill
from ltc_edge.deploy.boards.project import Project
from ltc_edge.errors import CheckFailedError, DeviceError, MissingToolError
from ltc_edge.export.calibration import excitation
from ltc_edge.runtimes.host_machine import HostMachine
from ltc_edge.runtimes.serial_lines import Line
from ltc_edge.runtimes.serial_machine import SerialMachine
from ltc_edge.supervision.codes import Mode

STEPS = 12
SEED = 20_081


@dataclass(frozen=True)
class Acceptance:
    """What a board showed.

    Attributes:
        version: of its controller.
        image: what it runs.
        selftest: whether its selftest held; else it has none, and its parameters' CRC was checked.
        steps: how many were compared bit for bit; 0 where this machine has no C compiler.
        drill: None where none was asked for.
    """

    version: str
    image: Image
    selftest: bool
    steps: int
    drill: Drill | None

    def to_json(self) -> dict[str, Any]:
        """As a document."""
        return {
            "version": self.version,
            "image": self.image.sha256,
            "simulated": self.image.simulated,
            "watchdog_ms": self.image.watchdog_ms,
            "selftest": self.selftest,
            "steps_compared": self.steps,
            "drill": None if self.drill is None else self.drill.to_json(),
        }


def accept(line: Line, project: Project, image: str, *, drill: bool, timeout_s: float = 1.0) -> Acceptance:
    """Compare a board with what it was given; the line is closed in the end.

    Args:
        line: to the board.
        project: what it should run.
        image: the hash of the project's sources, the user's included.
        drill: also arm the loop and let it lose its readings. Actuators move.
        timeout_s: how long a request waits for its answer.

    Raises:
        DeviceError: the board does not answer, is gone, or runs another controller or image.
        CheckFailedError: its selftest fails, or a step gives other bits.
    """
    sources = project.sources
    machine = SerialMachine(
        line, project.controller, sources.item_bytes, version=sources.version(), timeout_s=timeout_s
    )
    try:
        loop = BoardLoop(machine)
        found = loop.image()
        if found.sha256 != image:
            raise DeviceError(
                f"{line.name}: the board runs the image {found.sha256} of this controller, not {image}; "
                "flash it"
            )
        if (mode := loop.report().mode) != Mode.DISARMED:
            raise DeviceError(
                f"{line.name}: the board runs this image, and its loop is {mode.name.lower()}; disarm it for "
                "the selftest"
            )
        has_selftest = project.board.has_selftest
        if status := machine.selftest() if has_selftest else machine.check():
            test = "selftest" if has_selftest else "check of its parameters"
            raise CheckFailedError(f"{line.name}: the {test} fails on the board (status {status:#x})")
        steps = _compare(line, machine, project)
        seen = run_drill(loop, project.period_s) if drill else None
        return Acceptance(machine.version(), found, has_selftest, steps, seen)
    finally:
        machine.close()


def _compare(line: Line, machine: SerialMachine, project: Project) -> int:
    """Steps on the board and here, from reset; how many there were."""
    try:
        here = HostMachine(project.sources, project.controller)
    except MissingToolError:
        return 0  # the selftest compared golden steps on the board itself
    inputs = excitation(project.controller, sequences=1, steps=STEPS, seed=SEED)
    if here.reset() or machine.reset():
        raise CheckFailedError(f"{line.name}: the controller's parameters are corrupt on the board")
    for index, (observation, dt) in enumerate(zip(inputs.observation[0], inputs.dt_s[0], strict=True)):
        given = observation.astype(np.float32), float(dt)
        expected, found = here.step(*given), machine.step(*given)
        if expected[0] != found[0] or expected[1].tobytes() != found[1].tobytes():
            raise CheckFailedError(
                f"{line.name}: step {index} gives {found[1].tolist()} (status {found[0]:#x}) on the board "
                f"and {expected[1].tolist()} (status {expected[0]:#x}) here"
            )
    return len(inputs.dt_s[0])
