"""How far an exported file may be from the float64 reference: one table."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ltc_edge.arrays import FloatArray


@dataclass(frozen=True)
class Tolerance:
    """What one format is allowed.

    An action may be off by ``atol + rtol·|reference| + over_sigma·σ`` at any step, where σ is the
    reference's standard deviation over the free run.

    Attributes:
        atol: in the actuator's unit.
        rtol: of the reference.
        over_sigma: of the action's standard deviation.
        rms_over_sigma: root mean square error of the free run, of the action's standard deviation.
        return_lost_percent: of the float controller's return in closed loop, or of its score on
            recordings; exceeded only where the loss is also beyond its 95 % interval.
    """

    atol: float
    rtol: float
    over_sigma: float
    rms_over_sigma: float
    return_lost_percent: float

    def allowed(self, reference: FloatArray, sigma: FloatArray) -> FloatArray:
        """Largest error allowed at each step and channel, shaped like ``reference``."""
        result: FloatArray = self.atol + self.rtol * np.abs(reference) + self.over_sigma * sigma
        return result

    def overridden(self, atol: float | None, rtol: float | None) -> Tolerance:
        """With the user's bounds on a step in the place of the table's."""
        if atol is None and rtol is None:
            return self
        return dataclasses.replace(self, atol=atol or 0.0, rtol=rtol or 0.0, over_sigma=0.0)


_FLOAT = Tolerance(atol=1e-5, rtol=1e-5, over_sigma=1e-3, rms_over_sigma=1e-4, return_lost_percent=0.1)
_INT16 = Tolerance(atol=0.0, rtol=0.0, over_sigma=0.4, rms_over_sigma=0.025, return_lost_percent=0.5)

TOLERANCES: Mapping[str, Tolerance] = {
    "onnx": _FLOAT,
    "tflite": _FLOAT,
    "c-float32": _FLOAT,
    "c-int16": _INT16,
    "onnx-int8": Tolerance(0.0, 0.0, over_sigma=0.4, rms_over_sigma=0.025, return_lost_percent=1.0),
    "onnx-int16": _INT16,
    "tflite-int16x8": _INT16,
    "tflite-int16x8-legacy": _INT16,
    "tflite-int8": Tolerance(0.0, 0.0, over_sigma=1.0, rms_over_sigma=0.1, return_lost_percent=1.0),
}
