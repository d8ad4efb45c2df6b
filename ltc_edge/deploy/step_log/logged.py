"""A supervised controller in this process whose every step is logged."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from ltc_edge.deploy.step_log.messages import CHANGED, PERIODIC, START, Snapshot, Steps, new_steps
from ltc_edge.deploy.step_log.writing import StepLogWriter
from ltc_edge.errors import OutputError

if TYPE_CHECKING:
    from ltc_edge.supervision.compiled import SupervisedController
    from ltc_edge.supervision.supervisor import Input, Output

SNAPSHOT_NS = 1_000_000_000
AGES, EXTERNAL = 1, 2


class LoggedController:
    """Steps a supervised controller, and logs what it did.

    Args:
        controller: the controller and its supervisor.
        log: where its steps go.

    Attributes:
        failure: why the log ended, where it could not be written any more; the loop goes on without it.
    """

    def __init__(self, controller: SupervisedController, log: StepLogWriter) -> None:
        self._controller = controller
        self._log = log
        settings = controller.settings
        self._row = new_steps(1, len(settings.observations), len(settings.actions))
        self._resting = np.asarray(settings.resting, dtype=np.float32)
        self._sequence = 0
        self._state: tuple[bytes, bytes, bytes] | None = None  # after the last step
        self._snapshot_ns = 0
        self.failure: OutputError | None = None

    def step(self, given: Input, latency_ns: int = 0) -> Output:
        """One period; see `Supervisor.step`.

        Args:
            given: what goes in.
            latency_ns: how much later than it should have the step began.
        """
        began_ns, row = time.monotonic_ns(), self._row
        before = self._states()
        snapshot = self._due(before, began_ns)
        row["state_before"] = _checksum(before[2])
        output = self._controller.step(given)
        self._state = self._states()
        row["state_after"] = _checksum(self._state[2])
        self._fill(row, given, output)
        row["sequence"], row["monotonic_ns"], row["wall_ns"] = self._sequence, began_ns, time.time_ns()
        row["latency_ns"], row["execution_ns"] = latency_ns, time.monotonic_ns() - began_ns
        self._sequence += 1
        if self.failure is None:
            try:
                self._log.add(row, snapshot)
            except OutputError as failure:
                self.failure = failure
        return output

    def _fill(self, row: Steps, given: Input, output: Output) -> None:
        """What went in, and what came out."""
        row["dt_s"], row["requests"], row["missed"] = given.dt_s, given.requests, given.missed
        row["given"] = (0 if given.age_s is None else AGES) | (0 if given.external is None else EXTERNAL)
        row["observation"] = given.observation
        row["age_s"] = 0.0 if given.age_s is None else given.age_s
        row["external"] = self._resting if given.external is None else given.external
        row["action"], row["proposal"] = output.action, output.proposal
        row["status"], row["mode"] = output.status, output.mode

    def _states(self) -> tuple[bytes, bytes, bytes]:
        controller = self._controller
        return controller.memory.tobytes(), controller.room.tobytes(), controller.context.tobytes()

    def _due(self, before: tuple[bytes, bytes, bytes], now_ns: int) -> Snapshot | None:
        """The state, where it is time for it or where somebody else changed it."""
        if self._state is None:
            reason = START
        elif before != self._state:
            reason = CHANGED
        elif now_ns - self._snapshot_ns >= SNAPSHOT_NS:
            reason = PERIODIC
        else:
            return None
        self._snapshot_ns = now_ns
        memory, room, context = before
        return Snapshot(self._sequence, reason, memory, np.frombuffer(room, dtype=np.float32), context)


def _checksum(context: bytes) -> int:
    """A context ends with its checksum."""
    return int.from_bytes(context[-4:], "little")
