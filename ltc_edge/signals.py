"""The signals a controller reads and drives: names, units, limits."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ltc_edge.errors import InputError


@dataclass(frozen=True)
class ObservationSignal:
    """One sensor value as the device reads it, in ``unit``."""

    name: str
    unit: str = ""


@dataclass(frozen=True)
class ActionSignal:
    """One actuator value as the device applies it, in ``unit``.

    Attributes:
        low, high: limits of the actuator; infinite where there is none.
        slew: largest change per second; infinite where there is none.
    """

    name: str
    unit: str = ""
    low: float = -math.inf
    high: float = math.inf
    slew: float = math.inf

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise InputError(f"action {self.name!r}: low {self.low} must be below high {self.high}")
        if not self.slew > 0:
            raise InputError(f"action {self.name!r}: slew {self.slew} must be positive")
