"""The supervisor in Python: ``ltc_supervisor.c``, to the bit of its actions, its statuses and its memory.

Numbers are float32 that are held as Python's floats: of a sum, a difference or a product of two float32 the
nearest double, rounded once more, is the nearest float32. The memory is laid out as in C, so that either can
go on from the other's.
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from ltc_edge.supervision.codes import FAULTS, STATUS, Fallback, Mode, Request
from ltc_edge.supervision.settings import LARGEST, Settings

Float32 = npt.NDArray[np.float32]
Words = npt.NDArray[np.uint32]

_STALE, _BAD_INPUT = STATUS["stale-input"].value, STATUS["bad-input"].value
_CLAMPED, _GAP = STATUS["time-clamped"].value, STATUS["gap"].value
_MISSED, _CONTROLLER = STATUS["deadlines-missed"].value, STATUS["controller-fault"].value
_BAD_ACTION, _LIMITED, _SLEWED = (STATUS[key].value for key in ("bad-action", "limited", "slewed"))
_HANDING_OVER, _EXPIRED = STATUS["handing-over"].value, STATUS["hold-expired"].value
_PD_WITHOUT, _MEMORY = STATUS["pd-without-input"].value, STATUS["memory-fault"].value
_BAD_EXTERNAL = STATUS["bad-external"].value
_OWN, _WORD = 0xFF, 0xFFFFFFFF

_REST, _EXTERNAL, _CONTROLLERS, _HOLD, _PD, _PD_IN_PART = range(6)
"""Laws: what acts."""

MEMORY_WORDS = 9
"""Words of ``ltc_supervisor_memory``, in its order."""
_ELAPSED, _HELD, _LEFT, _CHECKSUM = range(5, MEMORY_WORDS)


class Supervised(Protocol):
    """The controller that is looked after; `HostMachine` and `StepperInFloat32` are such."""

    def reset(self) -> int:
        """Go to the state before the first step; status bits."""
        ...

    def step(self, observation: Float32, dt: float) -> tuple[int, Float32]:
        """Status bits and the action ``(M,)`` of an observation ``(I,)``."""
        ...


@dataclass(frozen=True)
class Input:
    """What a step is given; ``ltc_supervisor_input`` in C.

    Attributes:
        observation: raw readings, ``(I,)``.
        age_s: their ages, ``(I,)``; None where all were measured now.
        external: what acts in shadow mode, ``(M,)``; None for the resting action.
        dt_s: since the last step.
        missed: deadlines missed since the last step.
        requests: of the operator.
    """

    observation: Sequence[float]
    dt_s: float
    age_s: Sequence[float] | None = None
    external: Sequence[float] | None = None
    missed: int = 0
    requests: int = Request.NONE


@dataclass(frozen=True)
class Output:
    """What a step gives.

    Attributes:
        action: to apply, ``(M,)``.
        proposal: what the controller proposed, the resting action where it did not, ``(M,)``.
        status: status bits.
        mode: after the step.
    """

    action: tuple[float, ...]
    proposal: tuple[float, ...]
    status: int
    mode: Mode


class Supervisor:
    """The state machine over any controller.

    Attributes:
        memory: words of ``ltc_supervisor_memory``, ``(9,)``.
        room: its floats: the last action three times, where a hand-over began, the proposal, ``(5 M,)``.
        start_status: of the controller's first reset.
    """

    def __init__(self, settings: Settings, controller: Supervised, no_action: int) -> None:
        self.settings, self._controller, self._no_action = settings, controller, no_action
        self._actions = len(settings.actions)
        self.memory: Words = np.zeros(MEMORY_WORDS, dtype=np.uint32)
        self.room: Float32 = np.zeros(5 * self._actions, dtype=np.float32)
        self._times: Float32 = self.memory.view(np.float32)
        self._began, self._proposal = self.room.reshape(5, -1)[3:]
        self._began[:] = self._proposal[:] = settings.resting
        self._start_in(Mode.DISARMED)
        self._remember(settings.resting)
        self.start_status = controller.reset()

    def step(self, given: Input) -> Output:
        """One period; the action is finite, within its limits, and within its slew of the one before."""
        settings = self.settings
        self._load()
        given = _in_float32(given)
        known = math.isfinite(given.dt_s) and given.dt_s >= 0
        passed = given.dt_s if known and given.dt_s > settings.dt_min_s else settings.dt_min_s
        bounded = _within(passed, settings.dt_min_s, settings.dt_max_s)
        status = self._check_memory() | self._check_input(given)
        status |= self._check_time(given.dt_s, known, passed)
        self._mode = self._requested(given.requests)
        self._proposal[:] = settings.resting
        if self._mode in (Mode.DISARMED, Mode.LATCHED):
            self._running = 0
        elif not status & (_STALE | _BAD_INPUT):
            status |= self._ask(given)
        self._mode = self._settled(status)
        law, chosen, why = self._choose(given, passed)
        action, bits = self._limit(chosen)
        status |= why | bits | self._hand_over(law, bounded, action)
        status |= self._bring_within(bounded, action)
        self._remember(action)
        return Output(tuple(action), tuple(self._proposal.tolist()), status, Mode(self._mode))

    def _load(self) -> None:
        """Read the counters; times and the room stay where they are, so that not a bit of them changes."""
        self._mode, self._law, self._running, self._healthy, self._misses = self.memory[:_ELAPSED].tolist()

    def _store(self) -> None:
        self.memory[:_ELAPSED] = (self._mode, self._law, self._running, self._healthy, self._misses)

    def checksum(self) -> int:
        """What the checksum of memory and room ought to be."""
        total = 0
        kept = self.room.view(np.uint32)[: 4 * self._actions].tolist()
        for word in (*self.memory[:_CHECKSUM].tolist(), *kept):
            total = (31 * total + word) & _WORD
        return total ^ _WORD

    def _start_in(self, mode: Mode) -> None:
        self._mode, self._law, self._running = int(mode), _REST, 0
        self._healthy, self._misses = 0, 0
        self._times[_ELAPSED:_CHECKSUM] = 0.0

    def _check_memory(self) -> int:
        changed = int(self.memory[_CHECKSUM]) != self.checksum()
        first, second, third = self.room.view(np.uint32)[: 3 * self._actions].reshape(3, -1)
        voted = ((first & second) | (first & third) | (second & third)).view(np.float32).tolist()
        settings = self.settings
        self._last = [
            _within(value, low, high) if math.isfinite(value) else rest
            for value, low, high, rest in zip(
                voted, settings.low, settings.high, settings.resting, strict=True
            )
        ]
        if not changed:
            return 0
        self._start_in(Mode.LATCHED)
        return _MEMORY

    def _is_fresh(self, given: Input, index: int) -> bool:
        return given.age_s is None or 0 <= given.age_s[index] <= self.settings.oldest_s[index]

    def _check_input(self, given: Input) -> int:
        status = 0
        for index, value in enumerate(given.observation):
            status |= 0 if self._is_fresh(given, index) else _STALE
            status |= 0 if math.isfinite(value) else _BAD_INPUT
        self._misses = min(self._misses + given.missed, _WORD) if given.missed else 0
        return status | (_MISSED if self._misses > self.settings.misses_allowed else 0)

    def _check_time(self, dt_s: float, known: bool, passed: float) -> int:
        settings = self.settings
        if not known:
            self._running = 0
            self._times[_ELAPSED] = passed
            return _BAD_INPUT
        since = _single(self._times.item(_ELAPSED) + dt_s) if self._running else dt_s
        out = 0 if settings.dt_min_s <= dt_s <= settings.dt_max_s else _CLAMPED
        if not since <= settings.gap_s:
            self._running, since, out = 0, dt_s, out | _GAP
        self._times[_ELAPSED] = since
        return out

    def _requested(self, requests: int) -> int:
        if requests & Request.DISARM:
            return Mode.DISARMED
        if self._mode >= Mode.LATCHED:
            return Mode.LATCHED
        if requests & Request.SHADOW:
            return Mode.SHADOW
        return Mode.FALLBACK if requests & Request.ARM and self._mode < Mode.ACTIVE else self._mode

    def _ask(self, given: Input) -> int:
        settings = self.settings
        since = self._times.item(_ELAPSED)
        dt_s = _within(since, settings.dt_min_s, settings.dt_max_s)
        status = 0 if dt_s == since else _CLAMPED
        own = 0
        if not self._running:
            own = self._controller.reset()
            status |= _CONTROLLER if own else 0
            self._law = _REST
        if not own:
            own, found = self._controller.step(np.array(given.observation, dtype=np.float32), dt_s)
            self._proposal[:] = found
            status |= _CONTROLLER if own & self._no_action else 0
            status |= 0 if all(map(math.isfinite, found.tolist())) else _BAD_ACTION
        self._times[_ELAPSED] = 0.0
        self._running = 0 if status & FAULTS else 1
        if not self._running:
            self._proposal[:] = settings.resting
        return status | own & _OWN

    def _settled(self, status: int) -> int:
        fault = status & FAULTS
        self._healthy = 0 if fault else self._healthy + (self._healthy < self.settings.recover_steps)
        if self._mode not in (Mode.ACTIVE, Mode.FALLBACK):
            return self._mode
        if status & self.settings.latching:
            return Mode.LATCHED
        if fault:
            return Mode.FALLBACK
        return Mode.ACTIVE if self._healthy >= self.settings.recover_steps else self._mode

    def _choose(self, given: Input, passed: float) -> tuple[int, list[float], int]:
        """Law, action and why."""
        if self._mode >= Mode.FALLBACK:
            return self._fall_back(given, passed)
        self._times[_HELD] = 0.0
        if self._mode == Mode.ACTIVE:
            return _CONTROLLERS, self._proposal.tolist(), 0
        resting = self.settings.resting
        if self._mode == Mode.SHADOW and given.external is not None:
            pairs = list(zip(given.external, resting, strict=True))
            bad = not all(math.isfinite(value) for value, _ in pairs)
            taken = [value if math.isfinite(value) else rest for value, rest in pairs]
            return _EXTERNAL, taken, _BAD_EXTERNAL if bad else 0
        return _REST, list(resting), 0

    def _fall_back(self, given: Input, passed: float) -> tuple[int, list[float], int]:
        settings = self.settings
        if settings.fallback == Fallback.PD:
            found = [self._proportional(given, index) for index in range(self._actions)]
            action = [
                rest if value is None else value for value, rest in zip(found, settings.resting, strict=True)
            ]
            return (_PD_IN_PART, action, _PD_WITHOUT) if None in found else (_PD, action, 0)
        if settings.fallback == Fallback.HOLD:
            held = _single(self._times.item(_HELD) + passed)
            self._times[_HELD] = held if held <= settings.hold_s else LARGEST
            if held <= settings.hold_s:
                return _HOLD, list(self._last), 0
            return _REST, list(settings.resting), _EXPIRED
        return _REST, list(settings.resting), 0

    def _proportional(self, given: Input, index: int) -> float | None:
        settings = self.settings
        total = settings.resting[index]
        for reading, gain in enumerate(settings.pd_gain[index]):
            if gain != 0:
                if not self._is_fresh(given, reading):
                    return None
                error = _single(settings.pd_target[reading] - given.observation[reading])
                total = _single(total + _single(gain * error))
        return total if math.isfinite(total) else None

    def _limit(self, chosen: Sequence[float]) -> tuple[list[float], int]:
        settings = self.settings
        limits = list(zip(chosen, settings.low, settings.high, strict=True))
        met = any(value < low or value > high for value, low, high in limits)
        return [_within(*each) for each in limits], _LIMITED if met else 0

    def _hand_over(self, law: int, bounded: float, action: list[float]) -> int:
        settings = self.settings
        if law != self._law:
            self._law = law
            self._times[_LEFT] = settings.handover_s
            self._began[:] = self._last
        left = _within(_single(self._times.item(_LEFT) - bounded), 0.0, settings.handover_s)
        self._times[_LEFT] = left = left if law != _REST else 0.0
        if not left > 0:
            return 0
        share = float(np.float32(left) / np.float32(settings.handover_s))
        for index, began in enumerate(self._began.tolist()):
            way = _single(share * _single(began - action[index]))
            action[index] = _single(action[index] + way)
        return _HANDING_OVER

    def _bring_within(self, bounded: float, action: list[float]) -> int:
        settings, status = self.settings, 0
        for index, last in enumerate(self._last):
            reach = _single(settings.slew[index] * bounded)
            wanted = action[index] if math.isfinite(action[index]) else last
            slewed = _within(wanted, _single(last - reach), _single(last + reach))
            status |= _SLEWED if slewed != wanted else 0
            action[index] = _within(slewed, settings.low[index], settings.high[index])
        return status

    def _remember(self, action: Sequence[float]) -> None:
        self._store()
        self.room[: 3 * self._actions] = np.tile(np.array(action, dtype=np.float32), 3)
        self.memory[_CHECKSUM] = self.checksum()


def _single(value: float) -> float:
    """The float32 nearest to a double; infinite where it is beyond."""
    return ctypes.c_float(value).value


def _within(value: float, low: float, high: float) -> float:
    """A NaN becomes ``low``."""
    above = value if value > low else low
    return above if above < high else high


def _in_float32(given: Input) -> Input:
    def each(values: Sequence[float] | None) -> list[float] | None:
        return None if values is None else [_single(value) for value in values]

    observation = each(given.observation)
    assert observation is not None
    return Input(
        observation,
        _single(given.dt_s),
        each(given.age_s),
        each(given.external),
        given.missed,
        int(given.requests),
    )
