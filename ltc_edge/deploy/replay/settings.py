"""The supervisor's settings that a log was made with."""

from __future__ import annotations

from typing import Any

from ltc_edge.deploy.step_log.reading import StepLog
from ltc_edge.errors import InputError, RecordingError
from ltc_edge.supervision.codes import Fallback
from ltc_edge.supervision.settings import Settings, vector

_NUMBERS = (
    "dt_min_s",
    "dt_max_s",
    "gap_s",
    "hold_s",
    "handover_s",
    "misses_allowed",
    "recover_steps",
    "latching",
)
_VECTORS = ("oldest_s", "low", "high", "slew", "resting", "pd_target")


def logged_settings(log: StepLog) -> Settings:
    """The settings in a log, to the bit.

    Raises:
        RecordingError: they are none that a supervisor takes.
    """
    logged = log.settings
    observations = _names([name for name, _ in log.facts.observations], log.observations, "observation")
    actions = _names([name for name, _ in log.facts.actions], log.actions, "action")
    gains = [float(gain) for gain in logged["pd_gain"]]
    width = log.observations
    rows = [gains[begin : begin + width] for begin in range(0, len(gains), width)]
    values: dict[str, Any] = {name: logged[name] for name in _NUMBERS}
    values |= {name: vector(logged[name]) for name in _VECTORS}
    try:
        return Settings(
            observations=observations,
            actions=actions,
            fallback=Fallback(logged["fallback"]),
            pd_gain=tuple(vector(row) for row in rows),
            **values,
        )
    except (InputError, ValueError) as error:
        raise RecordingError(f"{log.path}: its settings are none of a supervisor: {error}") from None


def _names(known: list[str], count: int, kind: str) -> tuple[str, ...]:
    """The signals' names; numbered ones where the log does not say them."""
    return tuple(known) if len(known) == count else tuple(f"{kind}_{index}" for index in range(count))
