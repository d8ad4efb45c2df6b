"""The one protocol of every runtime: feed raw sensor values, get bounded actions."""

from __future__ import annotations

import math
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from ltc_edge.arrays import FloatArray
from ltc_edge.errors import InputError


@runtime_checkable
class Stepper(Protocol):
    """A controller being executed, one episode at a time."""

    @property
    def state(self) -> FloatArray:
        """A copy of the state, ``(state_size,)``."""
        ...

    def reset(self) -> None:
        """Return to the state before the first step."""
        ...

    def restore(self, state: FloatArray) -> None:
        """Go on from ``state``, ``(state_size,)``, one that `state` gave; a runtime keeps it as it can."""
        ...

    def hold(self) -> Any:
        """The state as the runtime has it, for `resume` of this very stepper: quicker than `state`."""
        ...

    def resume(self, held: Any) -> None:
        """Go on from what `hold` gave, to the bit."""
        ...

    def step(self, observation: FloatArray, dt: float) -> FloatArray:
        """One step.

        Args:
            observation: raw sensor values, ``(I,)``.
            dt: seconds since the previous step; clamped to the controller's range.

        Returns:
            The action ``(M,)``, in the actuators' units and limits.

        Raises:
            InputError: the observation has another shape or is not finite, or dt is not a positive number.
        """
        ...


def check_step_input(observation: FloatArray, dt: float, inputs: int) -> FloatArray:
    """The observation as a float64 vector, once it and ``dt`` are known to be usable.

    A bad value must not reach the state: one NaN would stay there for ever.

    Raises:
        InputError: the observation has another shape or is not finite, or dt is not a positive number.
    """
    try:
        values = np.asarray(observation, dtype=np.float64)
        usable_dt = math.isfinite(dt) and dt > 0.0
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(f"observation and dt must be numbers ({error})") from None
    if values.shape != (inputs,):
        raise InputError(f"observation has shape {values.shape}, expected ({inputs},)")
    # Of so few numbers this is the quickest.
    if not all(map(math.isfinite, values.tolist())):
        channel = int(np.flatnonzero(~np.isfinite(values))[0])
        raise InputError(
            f"observation channel {channel} is {values[channel]}; hold the last good value or stop"
        )
    if not usable_dt:
        raise InputError(f"dt is {dt} s, expected a positive number")
    return values


def check_state(state: FloatArray, size: int) -> npt.NDArray[np.float64]:
    """A copy of ``state`` as a float64 vector, once it is known to be one.

    Raises:
        InputError: it has another length, or is not finite.
    """
    values = np.array(state, dtype=np.float64)
    if values.shape != (size,) or not np.isfinite(values).all():
        raise InputError(f"a state must be {size} finite numbers, not of shape {values.shape}")
    return values
