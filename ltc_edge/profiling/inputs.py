"""What every format is fed with while it is profiled, and what the float64 controller makes of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ltc_edge.controller import Controller
from ltc_edge.export.calibration import excitation
from ltc_edge.runtimes.reference import ReferenceStepper

STEPS = 256
SEED = 20_065

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Inputs:
    """A run from the reset state.

    Attributes:
        observation: raw sensor values, ``(T, I)``.
        dt_s: seconds since the step before, ``(T,)``.
        expected: actions of the float64 controller, ``(T, M)``.
        low, high: limits of the actions, ``(M,)``.
    """

    observation: Array
    dt_s: Array
    expected: Array
    low: Array
    high: Array


def profile_inputs(controller: Controller, steps: int = STEPS) -> Inputs:
    """Made-up sensor values at irregular times, the same ones each time."""
    drawn = excitation(controller, sequences=1, steps=steps, seed=SEED)
    # What a file is fed with is float32: its rounding is no error of the format's.
    observation = drawn.observation[0].astype(np.float32).astype(np.float64)
    timing = controller.timing
    dt_s = np.clip(drawn.dt_s[0].astype(np.float32).astype(np.float64), timing.dt_min_s, timing.dt_max_s)
    reference = ReferenceStepper(controller)
    expected = np.stack([reference.step(row, dt) for row, dt in zip(observation, dt_s.tolist(), strict=True)])
    low, high = controller.limits
    return Inputs(observation, dt_s, expected, np.asarray(low), np.asarray(high))


def action_errors(inputs: Inputs, found: Array) -> dict[str, float | None]:
    """``max_abs_error`` and ``rms_over_sigma`` of actions ``(T, M)``, the worst channel of each.

    An action that is no number is an error without bounds, which JSON cannot hold: it is null.
    """
    error = np.abs(np.clip(found, inputs.low, inputs.high) - inputs.expected[: len(found)])
    sigma = inputs.expected.std(axis=0)
    moved = sigma > 0
    worst = float(error.max())
    rms = np.sqrt((error**2).mean(axis=0))
    share = float((rms[moved] / sigma[moved]).max()) if moved.any() else None
    finite = bool(np.isfinite(worst))
    return {"max_abs_error": worst if finite else None, "rms_over_sigma": share if finite else None}
