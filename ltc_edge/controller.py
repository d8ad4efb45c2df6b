"""The Controller: everything a device needs to turn raw sensor values into bounded actions.

One step is

    normalize   z = clip((observation − mean) / scale, ±clip)
    cell        state' = cell(z, state, dt / time_unit)
    readout     u = W·output + b                              (absent where the cell's outputs serve)
    scale       action = offset + scale·u
    limit       within [low, high], and within slew·dt of the previous action

with dt in seconds, clamped to the range allowed. ``ltc_edge.runtimes`` executes it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import get_args

import numpy as np
import numpy.typing as npt

from ltc_edge.arrays import FloatArray
from ltc_edge.cells.spec import CellSpec, LTCSpec, MixedMemorySpec, Positivity, Shapes
from ltc_edge.errors import InputError
from ltc_edge.signals import ActionSignal, ObservationSignal

PURPOSES = ("control", "prediction", "regression", "classification")
"""What the outputs mean: actuator values, the next observation, a quantity, or one score a class."""

LARGEST_INPUT = 1e30
"""Largest normalised input where nothing is clipped: in float32 its products are still finite, so that
no sensor value, however absurd, makes a NaN that would stay in the state. Every cell saturates far below."""

SHORTEST_S, LONGEST_S = 1e-15, 1e15
"""Range of a controller's times: they and their ratios are normal numbers in float32."""

POSITIVE_BY_CLAMP = ("w", "sensory_w", "cm", "gleak")
"""Parameters of an LTC in clamp mode that must not be negative: the state bound rests on it."""


@dataclass(frozen=True)
class Timing:
    """When a controller is called.

    Attributes:
        period_s: native control period.
        dt_min_s, dt_max_s: range of elapsed times allowed; others are clamped into it.
        time_unit_s: seconds in one unit of the cell's time.
    """

    period_s: float
    dt_min_s: float
    dt_max_s: float
    time_unit_s: float

    def __post_init__(self) -> None:
        values = (self.dt_min_s, self.period_s, self.dt_max_s)
        if not all(SHORTEST_S <= value <= LONGEST_S for value in (*values, self.time_unit_s)):
            raise InputError(
                f"timing: every time must be positive and finite, {SHORTEST_S:g} to {LONGEST_S:g} s, "
                f"not {self}"
            )
        if not self.dt_min_s <= self.period_s <= self.dt_max_s:
            raise InputError(
                f"timing: the period {self.period_s} s must lie in [{self.dt_min_s}, {self.dt_max_s}] s"
            )

    @classmethod
    def of_period(cls, period_s: float, dt_range_s: tuple[float, float] | None = None) -> Timing:
        """The usual timing: one time unit a period; dt from a tenth to ten periods unless given."""
        low, high = dt_range_s or (0.1 * period_s, 10.0 * period_s)
        return cls(period_s, low, high, period_s)


@dataclass(frozen=True, eq=False)
class Scaling:
    """An affine map per channel: ``(x − offset) / scale`` inwards, ``offset + scale·x`` outwards."""

    offset: FloatArray
    scale: FloatArray

    def __post_init__(self) -> None:
        if self.offset.ndim != 1 or self.offset.shape != self.scale.shape:
            raise InputError(
                f"scaling: offset {self.offset.shape} and scale {self.scale.shape} must be equal vectors"
            )
        if not (np.isfinite(self.offset).all() and np.isfinite(self.scale).all() and (self.scale > 0).all()):
            raise InputError("scaling: offsets must be finite and scales positive")

    @classmethod
    def identity(cls, channels: int) -> Scaling:
        """The map that changes nothing."""
        return cls(np.zeros(channels), np.ones(channels))


@dataclass(frozen=True, eq=False)
class Controller:
    """A trained controller, complete. Frozen: make a changed one with `dataclasses.replace`.

    Attributes:
        name: what it is called in reports and files.
        purpose: one of `PURPOSES`.
        observations: the ``I`` sensor signals, in order.
        normalizer: from raw sensor values to the cell's inputs.
        clip: largest magnitude of a normalised input; infinite for none.
        cell: sizes, equations and wiring.
        parameters: the cell's, named and shaped by ``cell.parameter_shapes()``, and where there is a
            readout ``readout_weight`` ``(M, outputs)`` and ``readout_bias`` ``(M,)``.
        actions: the ``M`` actuator signals, in order, with limits.
        denormalizer: from the readout to actions in the actuators' units.
        timing: period, allowed dt, time unit.
        initial_state: the cell's state after a reset, ``(state_size,)``.
        fallback: the action where none can be computed, and the previous action after a reset, ``(M,)``.
        provenance: where it came from, as plain strings.

    Raises:
        InputError: sizes do not fit, or a number is not finite or out of its range.
    """

    name: str
    purpose: str
    observations: tuple[ObservationSignal, ...]
    normalizer: Scaling
    cell: CellSpec
    parameters: Mapping[str, FloatArray]
    actions: tuple[ActionSignal, ...]
    denormalizer: Scaling
    timing: Timing
    initial_state: FloatArray
    fallback: FloatArray
    clip: float = math.inf
    provenance: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.purpose not in PURPOSES:
            raise InputError(f"controller: purpose {self.purpose!r} is not one of {', '.join(PURPOSES)}")
        self._check_sizes()
        self._check_parameters()
        if not self.clip > 0:
            raise InputError(f"controller: clip {self.clip} must be positive")
        low, high = self.limits
        if not ((low <= self.fallback) & (self.fallback <= high)).all():
            raise InputError(f"controller: fallback {self.fallback.tolist()} is outside the action limits")

    def _check_sizes(self) -> None:
        channels, actions = len(self.observations), len(self.actions)
        if actions == 0:
            raise InputError("controller: there must be at least one action")
        if channels != self.cell.inputs:
            raise InputError(f"controller: {channels} observations for a cell of {self.cell.inputs} inputs")
        if self.has_readout is False and actions != self.cell.outputs:
            raise InputError(
                f"controller: {actions} actions for a cell of {self.cell.outputs} outputs and no readout"
            )
        for what, array, size in (
            ("normalizer", self.normalizer.offset, channels),
            ("denormalizer", self.denormalizer.offset, actions),
            ("initial_state", self.initial_state, self.cell.state_size),
            ("fallback", self.fallback, actions),
        ):
            if array.shape != (size,):
                raise InputError(f"controller: {what} has shape {array.shape}, expected ({size},)")
            if not np.isfinite(array).all():
                raise InputError(f"controller: {what} is not finite")
        for kind, signals in (("observation", self.observations), ("action", self.actions)):
            names = [signal.name for signal in signals]
            if len(set(names)) != len(names) or not all(names):
                raise InputError(f"controller: {kind} names must be present and differ: {', '.join(names)}")

    def _check_parameters(self) -> None:
        expected = self.parameter_shapes()
        if self.parameters.keys() != expected.keys():
            odd = ", ".join(sorted(self.parameters.keys() ^ expected.keys()))
            raise InputError(f"controller: missing or unknown parameters: {odd}")
        dtypes = {array.dtype for array in self.parameters.values()}
        if len(dtypes) != 1 or not dtypes <= {np.dtype(np.float32), np.dtype(np.float64)}:
            raise InputError("controller: parameters must be all float32 or all float64")
        for name, shape in expected.items():
            array = self.parameters[name]
            if array.shape != shape:
                raise InputError(f"controller: parameter {name} has shape {array.shape}, expected {shape}")
            if not np.isfinite(array).all():
                raise InputError(f"controller: parameter {name} is not finite")
        cell = self.cell.cell if isinstance(self.cell, MixedMemorySpec) else self.cell
        clamp: Positivity = get_args(Positivity)[1]
        if isinstance(cell, LTCSpec) and cell.positivity == clamp:
            for name in POSITIVE_BY_CLAMP:
                if (self.parameters[name] < 0).any():
                    raise InputError(f"controller: parameter {name} is negative, which clamp mode forbids")
            if cell.solver != "fused" and not (self.parameters["cm"] > 0).all():
                raise InputError(
                    f"controller: parameter cm is zero, which the {cell.solver} solver divides by"
                )

    def parameter_shapes(self) -> Shapes:
        """Name and shape of every parameter, the readout's included."""
        shapes = self.cell.parameter_shapes()
        if self.has_readout:
            shapes |= {
                "readout_weight": (len(self.actions), self.cell.outputs),
                "readout_bias": (len(self.actions),),
            }
        return shapes

    @property
    def has_readout(self) -> bool:
        """Whether a linear readout follows the cell."""
        return "readout_weight" in self.parameters

    @property
    def input_limit(self) -> float:
        """Where runtimes clip normalised inputs: ``clip``, or `LARGEST_INPUT` where that is infinite."""
        return min(self.clip, LARGEST_INPUT)

    @property
    def limits(self) -> tuple[FloatArray, FloatArray]:
        """Lowest and highest actions, each ``(M,)``."""
        return np.array([a.low for a in self.actions]), np.array([a.high for a in self.actions])

    @property
    def slew(self) -> FloatArray:
        """Largest change of each action per second, ``(M,)``; infinite where there is none."""
        return np.array([a.slew for a in self.actions])

    @property
    def is_slew_limited(self) -> bool:
        """Whether the previous action is part of the state."""
        return bool(np.isfinite(self.slew).any())

    @property
    def state_size(self) -> int:
        """Length of a runtime's state: the cell's, then the previous action where slew is limited."""
        return self.cell.state_size + (len(self.actions) if self.is_slew_limited else 0)

    @property
    def reset_state(self) -> npt.NDArray[np.float64]:
        """The state a runtime starts from, ``(state_size,)``, float64."""
        previous = self.fallback if self.is_slew_limited else self.fallback[:0]
        return np.concatenate([self.initial_state, previous]).astype(np.float64)

    def parameters_effective(self) -> int:
        """Parameters stored and executed: cell and readout; normalisers and limits are not counted."""
        return self.cell.parameters_effective() + self._readout_parameters()

    def parameters_dense(self) -> int:
        """Parameters of the same controller without sparsity, as published counts have it."""
        return self.cell.parameters_dense() + self._readout_parameters()

    def _readout_parameters(self) -> int:
        return len(self.actions) * (self.cell.outputs + 1) if self.has_readout else 0
