"""The unit coordinates of integer arithmetic: every signal of a step is a fraction between −1 and 1.

A raw value is ``center + span · fraction``, a channel at a time. Channels of any size then share one
16-bit scale, 2⁻¹⁵, and saturation of the integer is the limit of the signal: the clip of an input, the
limits of an action. The state of an LTC needs no measurement: its bounds are proved.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ltc_edge.cells.spec import CfCSpec, CTRNNSpec, GatedSpec, LTCSpec, MixedMemorySpec
from ltc_edge.controller import Controller
from ltc_edge.errors import FormatRefusedError
from ltc_edge.export.ltc_bounds import StateBounds, greatest_conductance, state_bounds
from ltc_edge.export.program import Affine, Array

MARGIN = 1.5
"""How far beyond what calibration saw an unproved signal may go before it saturates."""


@dataclass(frozen=True, eq=False)
class Observed:
    """Least and greatest of each channel of a signal during calibration, each ``(n,)``."""

    low: Array
    high: Array


@dataclass(frozen=True, eq=False)
class Coordinates:
    """Unit coordinates of the four signals of a step; the state's include a previous action.

    ``conductance``, ``(N,)``, is what counts as each neuron's greatest in an LTC, and None elsewhere.
    """

    observation: Affine
    dt: Affine
    state: Affine
    action: Affine
    conductance: Array | None


def unit_coordinates(
    controller: Controller,
    *,
    observation: Observed,
    state: Observed,
    action: Observed,
    conductance: Array | None = None,
) -> Coordinates:
    """Coordinates for ``controller``.

    Args:
        controller: what is to be quantised.
        observation: of the raw sensor values during calibration.
        state: of the cell's state; used only where no bound is proved.
        action: of the action before its limits; used only where a limit is missing.
        conductance: greatest conductance of each neuron of an LTC, ``(N,)``; None for the proved one.

    Raises:
        FormatRefusedError: the cell's state is bounded neither by proof nor by calibration.
    """
    acted = _action(controller, action)
    cell = _state(controller, state)
    if controller.is_slew_limited:
        cell = Affine(np.concatenate([cell.center, acted.center]), np.concatenate([cell.span, acted.span]))
    timing = controller.timing
    return Coordinates(
        observation=_observation(controller, observation),
        dt=Affine(np.zeros(1), np.array([timing.dt_max_s])),
        state=cell,
        action=acted,
        conductance=_conductance(controller, conductance),
    )


def _conductance(controller: Controller, seen: Array | None) -> Array | None:
    """No more than is possible, and no less than the leak that is always there."""
    spec = controller.cell.cell if isinstance(controller.cell, MixedMemorySpec) else controller.cell
    if not isinstance(spec, LTCSpec):
        return None
    possible = greatest_conductance(spec, controller.parameters)
    return possible if seen is None else np.minimum(possible, MARGIN * seen)


def _observation(controller: Controller, seen: Observed) -> Affine:
    """Centred on the normaliser's offset; as wide as what was seen, and no wider than the clip."""
    offset, scale = controller.normalizer.offset, controller.normalizer.scale
    reach = MARGIN * np.maximum(np.abs(seen.high - offset), np.abs(seen.low - offset))
    # A channel that never moved during calibration still gets a deviation's worth of room.
    reach = np.maximum(reach, scale)
    return Affine(offset.astype(np.float64), np.minimum(reach, controller.input_limit * scale))


def _action(controller: Controller, seen: Observed) -> Affine:
    """The limits where there are any: the integer then saturates at them."""
    low, high = controller.limits
    # Within the limits, and never without the action that a reset starts from.
    least = np.minimum(np.clip(seen.low, low, high), controller.fallback)
    most = np.maximum(np.clip(seen.high, low, high), controller.fallback)
    room = np.maximum((MARGIN - 1.0) * (most - least) / 2, 1e-3 * np.maximum(1e-3, np.abs(most)))
    low_end = np.where(np.isfinite(low), low, least - room)
    high_end = np.where(np.isfinite(high), high, most + room)
    return Affine((low_end + high_end) / 2, (high_end - low_end) / 2)


def _state(controller: Controller, seen: Observed) -> Affine:
    spec, initial = controller.cell, controller.initial_state
    if isinstance(spec, MixedMemorySpec):
        units = spec.units
        if isinstance(spec.cell, LTCSpec):
            # The memory hands the cell tanh(c)·σ(o), so its state starts from anywhere in [−1, 1].
            reach = np.maximum(1.0, np.abs(initial[:units]))
            cell = _ltc(spec.cell, controller, StateBounds(-reach, reach))
        else:
            cell = _bounded(spec.cell, initial[:units], seen.low[:units], seen.high[:units])
        memory = _power_of_two(seen.low[units:], seen.high[units:], initial[units:])
        return Affine(np.concatenate([cell.center, memory.center]), np.concatenate([cell.span, memory.span]))
    if isinstance(spec, LTCSpec):
        return _ltc(spec, controller, StateBounds(initial, initial))
    if isinstance(spec, GatedSpec) and spec.kind == "lstm":
        units = spec.units
        hidden = _within(np.ones(units), initial[:units])
        memory = _power_of_two(seen.low[units:], seen.high[units:], initial[units:])
        return Affine(
            np.concatenate([hidden.center, memory.center]), np.concatenate([hidden.span, memory.span])
        )
    return _bounded(spec, initial, seen.low, seen.high)


def _ltc(spec: LTCSpec, controller: Controller, start: StateBounds) -> Affine:
    bounds = state_bounds(spec, controller.parameters, start)
    half = (bounds.high - bounds.low) / 2
    # A neuron that nothing drives stays at zero; any span serves it.
    return Affine((bounds.low + bounds.high) / 2, np.where(half > 0, half, 1.0))


def _bounded(spec: CfCSpec | CTRNNSpec | GatedSpec, initial: Array, low: Array, high: Array) -> Affine:
    """Cells whose next state is a mix of tanh values: within 1 by their equations, or 2 without a gate."""
    if isinstance(spec, CfCSpec) and spec.mode == "pure":
        return _power_of_two(low, high, initial)
    if isinstance(spec, CfCSpec) and spec.mode == "no_gate":
        return _within(np.full(spec.units, 2.0), initial)
    return _within(np.ones(spec.units), initial)


def _within(bound: Array, initial: Array) -> Affine:
    """A common span: elementwise operations on the state then need no rescaling."""
    reach = max(float(bound.max()), float(np.abs(initial).max()))
    return Affine(np.zeros(len(bound)), np.full(len(bound), _up_to_power_of_two(reach)))


def _power_of_two(low: Array, high: Array, initial: Array) -> Affine:
    """A measured range; a power of two, so that rescaling the integer is exact."""
    reach = max(MARGIN * float(np.maximum(np.abs(low), np.abs(high)).max()), float(np.abs(initial).max()))
    if not np.isfinite(reach):
        raise FormatRefusedError(
            "unbounded-state",
            "the state grew without bound during calibration; this cell cannot be quantised",
        )
    return Affine(np.zeros(len(low)), np.full(len(low), _up_to_power_of_two(reach)))


def _up_to_power_of_two(value: float) -> float:
    return float(2.0 ** np.ceil(np.log2(max(value, 2.0**-10))))
