"""What surrounds the arithmetic of a generated step: ranges, limits, bounds and the fallback, in float32."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ltc_edge.arrays import FloatArray
from ltc_edge.controller import Controller
from ltc_edge.errors import FormatRefusedError
from ltc_edge.export.c.arithmetic import Float32
from ltc_edge.export.c.bounds import LARGEST
from ltc_edge.export.float32 import at_least
from ltc_edge.export.ltc_bounds import StateBounds

STATUS = {
    "OK": 0,
    "NONFINITE_INPUT": 1 << 0,
    "DT_CLAMPED": 1 << 1,
    "SATURATED": 1 << 2,
    "SLEW_LIMITED": 1 << 3,
    "STATE_OUT_OF_BOUNDS": 1 << 4,
    "CORRUPT_PARAMETERS": 1 << 5,
    "NOT_RESET": 1 << 6,
    "SELFTEST_FAILED": 1 << 7,
}
"""Bits of a status; each is ``<NAME>_<key>`` in the header."""

NO_ACTION = sum(
    STATUS[key] for key in ("NONFINITE_INPUT", "STATE_OUT_OF_BOUNDS", "CORRUPT_PARAMETERS", "NOT_RESET")
)
"""With any of these the action is the fallback."""

MEANING = {
    "OK": "the action was computed, within its limits",
    "NONFINITE_INPUT": "an observation or dt is NaN or infinite; fallback given, state untouched",
    "DT_CLAMPED": "dt was brought into its range",
    "SATURATED": "an action met its limit",
    "SLEW_LIMITED": "an action was held back by its slew limit",
    "STATE_OUT_OF_BOUNDS": "memory was corrupted; fallback given until the next reset",
    "CORRUPT_PARAMETERS": "the parameters' CRC-32 is wrong; fallback given",
    "NOT_RESET": "the context was never reset; fallback given",
    "SELFTEST_FAILED": "compiler or processor do not give the golden bits",
}


@dataclass(frozen=True, eq=False)
class Guard:
    """Numbers of the guard; ``slew`` is None where no action's is limited.

    Attributes:
        dt_range: shortest and longest elapsed time, ``(2,)``.
        fallback: the action where none can be computed, ``(M,)``.
        action_low, action_high: limits, ``(M,)``.
        slew: per second, ``(M,)``.
        initial_state: after a reset, the previous action included where slew is limited, ``(S,)``.
        state_low, state_high: bounds of it, ``(S,)``.
    """

    dt_range: Float32
    fallback: Float32
    action_low: Float32
    action_high: Float32
    slew: Float32 | None
    initial_state: Float32
    state_low: Float32
    state_high: Float32


def guard_of(controller: Controller, bounds: StateBounds) -> Guard:
    """The guard of a controller.

    Raises:
        FormatRefusedError: no float32 lies between two limits.
    """
    low, high = (np.clip(values, -LARGEST, LARGEST) for values in controller.limits)
    low, high = _above(low), -_above(-high)
    if (low > high).any():
        raise FormatRefusedError(
            "narrow-limits",
            f"no float32 lies between the limits of {controller.actions[int((low > high).argmax())].name}; "
            "widen them",
        )
    timing = controller.timing
    fallback = np.clip(controller.fallback.astype(np.float32), low, high)
    initial = controller.initial_state.astype(np.float32)
    state_low, state_high = -_above(-bounds.low), _above(bounds.high)
    slew = None
    if controller.is_slew_limited:
        slew = np.minimum(controller.slew, LARGEST).astype(np.float32)
        initial = np.concatenate([initial, fallback])
        state_low, state_high = np.concatenate([state_low, low]), np.concatenate([state_high, high])
    dt_range = np.array([timing.dt_min_s, timing.dt_max_s], dtype=np.float32)
    return Guard(dt_range, fallback, low, high, slew, initial, state_low, state_high)


def _above(values: FloatArray) -> Float32:
    """The least float32 not below each value; the neighbour of the greatest, infinity, is not taken."""
    with np.errstate(over="ignore"):
        return at_least(values).astype(np.float32)
