"""Faults that no controller can compute with: what answers them, and whether the action stays safe.

Formats in C get the faulty reading as firmware would hand it over, unchecked, and answer with status bits.
The steppers of formats in Python refuse what is not finite: there the refusal is the answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ltc_edge.arrays import FloatArray
from ltc_edge.controller import Controller
from ltc_edge.errors import InputError, TaskError
from ltc_edge.evaluation.rollout import open_plants, rollout
from ltc_edge.export.c.guard import NO_ACTION, STATUS
from ltc_edge.runtimes.c_stepper import CStepper
from ltc_edge.runtimes.stepper import Stepper
from ltc_edge.tasks.protocol import Task

FIRST, LENGTH, STEPS = 3, 5, 20
"""Steps before a fault, of it, and of an episode in all."""

LATE = 4.0
"""How many times the longest dt a late reading is old."""


@dataclass(frozen=True)
class Fault:
    """A fault.

    Attributes:
        name: in reports.
        what: what happens, in words.
        bit: the status bit that C owes; None where C cannot know.
        refused: whether the steppers of formats in Python owe a refusal.
        reading: (true reading, the last one before the fault) → what arrives.
        dt: (dt, longest dt that the controller takes) → what the controller is told.
    """

    name: str
    what: str
    bit: str | None
    refused: bool
    reading: Callable[[FloatArray, FloatArray], FloatArray] = lambda true, _: true
    dt: Callable[[float, float], float] = lambda dt, _: dt


def _all(value: float) -> Callable[[FloatArray, FloatArray], FloatArray]:
    return lambda true, _: np.full_like(true, value)


FAULTS = (
    Fault("nan", "readings are NaN", "NONFINITE_INPUT", True, reading=_all(np.nan)),
    Fault("+inf", "readings are +infinite", "NONFINITE_INPUT", True, reading=_all(np.inf)),
    Fault("-inf", "readings are −infinite", "NONFINITE_INPUT", True, reading=_all(-np.inf)),
    Fault("dt-nan", "the elapsed time is NaN", "NONFINITE_INPUT", True, dt=lambda _, __: np.nan),
    Fault(
        "late", "the elapsed time is four times the longest", "DT_CLAMPED", False, dt=lambda _, m: LATE * m
    ),
    Fault("stale", "readings stay what they were, at the usual period", None, False, reading=lambda _, b: b),
)
"""In the order of reports."""


@dataclass(frozen=True)
class FaultReport:
    """What answered one fault.

    Attributes:
        fault: which.
        steps: steps with the fault, over all channels.
        bits: how many of them had each status bit, in C.
        refusals: how many were refused by an `InputError`, in Python.
        message: of the first refusal.
        actions_sound: every action was finite and within its limits.
        state_kept: how many of the steps left the state untouched.
        recovered: every step without the fault gave an action.
        in_c: whether it is a format in C that answered.
    """

    fault: Fault
    steps: int
    bits: dict[str, int]
    refusals: int
    message: str | None
    actions_sound: bool
    state_kept: int
    recovered: bool
    in_c: bool

    @property
    def answered(self) -> int | None:
        """Steps that were answered as they had to be; None where nothing can know of the fault."""
        if self.in_c:
            return None if self.fault.bit is None else self.bits.get(self.fault.bit, 0)
        return self.refusals if self.fault.refused else None

    @property
    def holds(self) -> bool:
        """Whether all that is promised was seen: the answer, a sound action, and a state kept from harm."""
        kept = not self.fault.refused or self.state_kept == self.steps
        return self.actions_sound and self.recovered and kept and self.answered in (None, self.steps)


def fault_reports(
    task: Task,
    controller: Controller,
    stepper: Stepper,
    seed: int,
    on_share: Callable[[float], None] = lambda _: None,
) -> tuple[FaultReport, ...]:
    """Play every fault in closed loop: an episode for each channel alone, then one with all at once.

    Raises:
        TaskError: the plant misbehaves, or every episode is over before the fault is.
        DeviceError: the device is gone.
    """
    reports = []
    rows = len(controller.observations) + 1
    for index, fault in enumerate(FAULTS):
        policy = _FaultyReadings(controller, stepper, fault)
        with open_plants(task) as plants:
            rollout(task, plants, policy, range(seed, seed + rows), max_steps=STEPS)
        reports.append(policy.report())
        if reports[-1].steps < rows * LENGTH:
            raise TaskError(
                f"task {task.name!r}: from seed {seed} on, every episode ends within {FIRST + LENGTH} steps, "
                "before the fault does; choose another --seed"
            )
        on_share((index + 1) / len(FAULTS))
    return tuple(reports)


class _FaultyReadings:
    """A `Policy` of one stepper: row ``r`` has the fault in channel ``r``, the last row in all of them."""

    def __init__(self, controller: Controller, stepper: Stepper, fault: Fault) -> None:
        self._controller, self._stepper, self._fault = controller, stepper, fault
        self._held: list[Any] = []
        self._before: FloatArray = np.zeros((0, 0))
        self._step = self._faulty = self._refusals = self._kept = 0
        self._bits: Counter[str] = Counter()
        self._message: str | None = None
        self._sound = self._recovered = True

    def reset(self, size: int) -> None:
        """Start new episodes."""
        self._stepper.reset()
        self._held = [self._stepper.hold()] * size

    def step(self, observation: FloatArray, dt_s: FloatArray) -> FloatArray:
        """One step of every row, the fault in those of its time."""
        faulty = FIRST <= self._step < FIRST + LENGTH
        if not faulty:
            self._before = observation
        actions = []
        for row, dt in enumerate(dt_s.tolist()):
            self._stepper.resume(self._held[row])
            reading, told = (self._spoil(observation, row, dt)) if faulty else (observation[row], dt)
            actions.append(self._answer(reading, told, faulty=faulty))
            self._held[row] = self._stepper.hold()
        self._step += 1
        return np.stack(actions)

    def report(self) -> FaultReport:
        """What was seen."""
        return FaultReport(
            self._fault,
            self._faulty,
            dict(self._bits),
            self._refusals,
            self._message,
            self._sound,
            self._kept,
            self._recovered,
            isinstance(self._stepper, CStepper),
        )

    def _spoil(self, observation: FloatArray, row: int, dt: float) -> tuple[FloatArray, float]:
        true = observation[row]
        channels = np.arange(len(true))
        spoilt = self._fault.reading(true, self._before[row])
        reading = np.where((channels == row) | (row == len(true)), spoilt, true)
        return reading, self._fault.dt(dt, self._controller.timing.dt_max_s)

    def _answer(self, reading: FloatArray, dt: float, *, faulty: bool) -> FloatArray:
        """The action that reaches the plant, and notes of how it came about."""
        stepper, before = self._stepper, self._stepper.state if faulty else None
        if isinstance(stepper, CStepper):
            with np.errstate(over="ignore"):
                status, given = stepper.machine.step(reading.astype(np.float32), dt)
            self._note_status(status, faulty=faulty)
            action: FloatArray = given.astype(np.float64)
        else:
            try:
                action = stepper.step(reading, dt)
            except InputError as error:
                self._note_refusal(str(error), faulty=faulty)
                action = self._controller.fallback
        if before is not None:
            self._faulty += 1
            self._kept += bool(np.array_equal(before, stepper.state))
        low, high = self._controller.limits
        sound = bool(np.isfinite(action).all() and (low <= action).all() and (action <= high).all())
        self._sound = self._sound and sound
        return action if sound else self._controller.fallback

    def _note_status(self, status: int, *, faulty: bool) -> None:
        if faulty:
            self._bits.update(name for name, bit in STATUS.items() if status & bit)
        elif status & NO_ACTION:
            self._recovered = False

    def _note_refusal(self, message: str, *, faulty: bool) -> None:
        if faulty:
            self._refusals += 1
            self._message = self._message or message
        else:
            self._recovered = False
