"""What a supervisor is told about its loop, and what it is told where nobody said otherwise."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ltc_edge.controller import Controller
from ltc_edge.errors import InputError
from ltc_edge.export.float32 import at_least, at_most, nearest
from ltc_edge.supervision.codes import LATCHING, Fallback

OLDEST_S = 0.2
"""A reading older than this is stale, unless said otherwise."""

HOLD_PERIODS, HANDOVER_PERIODS, GAP_PERIODS = 5, 5, 10
MISSES_ALLOWED, RECOVER_STEPS = 3, 10

LARGEST = float(np.finfo(np.float32).max)
_MOST_COUNT = 2**31

Vector = tuple[float, ...]


@dataclass(frozen=True)
class Settings:
    """Settings of a supervisor, all numbers as float32 holds them; ``ltc_supervisor_settings`` in C.

    Attributes:
        observations, actions: names of the ``I`` readings and ``M`` actions, in order.
        dt_min_s, dt_max_s: range of elapsed times that the controller was made for.
        gap_s: where it was not stepped for longer, it is reset.
        oldest_s: age from which each reading is stale, ``(I,)``.
        low, high: limits of each action, ``(M,)``.
        slew: largest change of each action a second, ``(M,)``; the largest float32 for none.
        resting: each action at rest, ``(M,)``.
        fallback: what acts after a fault.
        hold_s: how long the last action is held, where that is the fallback.
        pd_gain: rows of gains ``(M, I)``; empty unless the fallback is PD.
        pd_target: what each reading ought to be, ``(I,)``; empty unless the fallback is PD.
        handover_s: from one law to the next in equal shares of this time; 0 for within the slew alone.
        misses_allowed: deadlines missed in a row before it is a fault.
        recover_steps: steps without a fault before the controller acts again.
        latching: status bits after which it does not act before it was disarmed.

    Raises:
        InputError: sizes do not fit, or a number is not finite or out of its range.
    """

    observations: tuple[str, ...]
    actions: tuple[str, ...]
    dt_min_s: float
    dt_max_s: float
    gap_s: float
    oldest_s: Vector
    low: Vector
    high: Vector
    slew: Vector
    resting: Vector
    fallback: Fallback = Fallback.HOLD
    hold_s: float = 0.0
    pd_gain: tuple[Vector, ...] = ()
    pd_target: Vector = ()
    handover_s: float = 0.0
    misses_allowed: int = MISSES_ALLOWED
    recover_steps: int = RECOVER_STEPS
    latching: int = 0

    def __post_init__(self) -> None:
        self._check_sizes()
        self._check_times()
        for name, low, rest, high, slew in zip(
            self.actions, self.low, self.resting, self.high, self.slew, strict=True
        ):
            if not -LARGEST <= low < high <= LARGEST:
                raise InputError(f"supervisor: limits of {name}: {low:g} must be below {high:g}, both finite")
            if not low <= rest <= high:
                raise InputError(
                    f"supervisor: resting of {name}: {rest:g} is not within its limits, {low:g} to {high:g}"
                )
            if not 0 < slew <= LARGEST:
                raise InputError(f"supervisor: slew of {name}: {slew:g} must be above 0")
        for name, value in (("misses_allowed", self.misses_allowed), ("recover_steps", self.recover_steps)):
            if not 0 <= value < _MOST_COUNT:
                raise InputError(f"supervisor: {name} is {value}; it must be 0 to {_MOST_COUNT - 1}")
        known = sum(LATCHING.values())
        if self.latching & ~known:
            raise InputError(
                f"supervisor: latching {self.latching:#x} has bits that cannot latch; {known:#x} can"
            )

    def _check_sizes(self) -> None:
        inputs, outputs = len(self.observations), len(self.actions)
        sizes = {"oldest_s": inputs, "low": outputs, "high": outputs, "slew": outputs, "resting": outputs}
        is_pd = self.fallback == Fallback.PD
        sizes |= {"pd_gain": outputs if is_pd else 0, "pd_target": inputs if is_pd else 0}
        for name, size in sizes.items():
            if len(getattr(self, name)) != size:
                raise InputError(f"supervisor: {name} has {len(getattr(self, name))} values, expected {size}")
        if any(len(row) != inputs for row in self.pd_gain):
            raise InputError(f"supervisor: pd_gain must have {inputs} values a row")
        if not all(math.isfinite(value) for row in (*self.pd_gain, self.pd_target) for value in row):
            raise InputError("supervisor: gains and targets of the PD law must be finite")
        for outermost in range(2):
            names = (self.observations, self.actions)[outermost]
            if not names or len(set(names)) != len(names):
                raise InputError("supervisor: names of readings and of actions must be there, and differ")

    def _check_times(self) -> None:
        for name, oldest in zip(self.observations, self.oldest_s, strict=True):
            if not 0 < oldest <= LARGEST:
                raise InputError(f"supervisor: the age limit of {name} is {oldest:g} s; it must be above 0")
        if not 0 < self.dt_min_s <= self.dt_max_s <= self.gap_s <= LARGEST:
            raise InputError(
                f"supervisor: 0 < dt_min_s <= dt_max_s <= gap_s must hold, not {self.dt_min_s:g}, "
                f"{self.dt_max_s:g} and {self.gap_s:g} s"
            )
        for name, value in (("hold_s", self.hold_s), ("handover_s", self.handover_s)):
            if not 0 <= value <= LARGEST:
                raise InputError(f"supervisor: {name} is {value:g} s; it must be 0 or more, and finite")

    def to_json(self) -> dict[str, Any]:
        """As plain JSON, from which `from_json` makes the same."""
        document = dataclasses.asdict(self)
        return document | {"fallback": self.fallback.name.lower()}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Settings:
        """What `to_json` wrote.

        Raises:
            InputError: it is not that.
        """
        try:
            values: dict[str, Any] = {name: _frozen(value) for name, value in document.items()}
            return cls(**values | {"fallback": Fallback[str(values.pop("fallback")).upper()]})
        except (TypeError, KeyError, ValueError, AttributeError) as error:
            raise InputError(f"the supervisor's settings are not readable ({error})") from None


def default_settings(controller: Controller) -> Settings:
    """Settings that follow from a controller alone.

    Limits, slew and dt range are those that its C keeps to, rounded to float32 to the narrow side; the
    resting action is its fallback. Every reading may be `OLDEST_S` old. After a fault the last action is
    held for a few periods, then it goes to rest.

    Raises:
        InputError: the controller has limits that float32 cannot tell apart.
    """
    timing = controller.timing
    low, high = (np.clip(values, -LARGEST, LARGEST) for values in controller.limits)
    low, high = at_least(low), at_most(high)
    dt_min_s, dt_max_s = vector([timing.dt_min_s, timing.dt_max_s])
    return Settings(
        observations=tuple(signal.name for signal in controller.observations),
        actions=tuple(signal.name for signal in controller.actions),
        dt_min_s=dt_min_s,
        dt_max_s=dt_max_s,
        gap_s=max(single(GAP_PERIODS * timing.period_s), dt_max_s),
        oldest_s=vector([OLDEST_S] * len(controller.observations)),
        low=tuple(low.tolist()),
        high=tuple(high.tolist()),
        slew=vector(np.minimum(controller.slew, LARGEST)),
        resting=vector(np.clip(nearest(controller.fallback), low, high)),
        hold_s=single(HOLD_PERIODS * timing.period_s),
        handover_s=single(HANDOVER_PERIODS * timing.period_s),
    )


def single(value: float) -> float:
    """The float32 nearest to a value."""
    return vector([value])[0]


def vector(values: Any) -> Vector:
    """The float32 nearest to each value."""
    return tuple(nearest(np.asarray(values, dtype=np.float64)).tolist())


def _frozen(value: Any) -> Any:
    return tuple(_frozen(item) for item in value) if isinstance(value, list | tuple) else value
