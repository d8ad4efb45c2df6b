"""The quantisation plan: one set of numbers for every integer target.

``quantization.json`` holds it. Activations have 16 bits with scales that are powers of two, most of them
2⁻¹⁵ (see ``coordinates.py``); weights have 8 bits and a scale for each output channel. The same document
gives each tensor an 8-bit format too, for runtimes that want everything in 8 bits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ltc_edge.export.coordinates import Coordinates
from ltc_edge.export.rounding import QuantizedDense


@dataclass(frozen=True)
class TensorPlan:
    """How one tensor, or the values of one constant, are coded.

    Attributes:
        low, high: range that is covered.
        observed: least and greatest value during calibration.
        proved: whether the range holds by proof rather than by measurement.
        scale16: value of one step of the 16-bit code, a power of two; its zero point is 0.
        scale8, zero8: of the 8-bit code.
    """

    low: float
    high: float
    observed: tuple[float, float]
    proved: bool
    scale16: float
    scale8: float
    zero8: int


@dataclass(frozen=True)
class Sensitivity:
    """The error of the action when this alone is rounded.

    Attributes:
        name: tensor or weight matrix; solver sub-steps are counted together, as ``unfold_*``.
        kind: ``tensor`` or ``weight``.
        percent16, percent8: RMS error over the action's standard deviation, in percent, the worst
            channel, with 16 and with 8 bits; weights have 8 bits only.
    """

    name: str
    kind: str
    percent16: float | None
    percent8: float


@dataclass(frozen=True, eq=False)
class QuantizationPlan:
    """The plan of one controller.

    Attributes:
        coordinates: unit coordinates of the step's signals; they determine the program.
        tensors: of every tensor and constant of ``lower_unit(controller, coordinates)``.
        dense: integer weights of every dense operation, by its output.
        calibration: what was run, in words.
        sensitivity: RMS error over σ of the action, in percent, when only this is quantised.
    """

    coordinates: Coordinates
    tensors: Mapping[str, TensorPlan]
    dense: Mapping[str, QuantizedDense]
    calibration: Mapping[str, Any]
    sensitivity: tuple[Sensitivity, ...]
