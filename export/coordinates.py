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
from ltc_edge.export.ltc_bounds import (
    EPSILON,
    StateBounds,
    effective_parameters,
    greatest_conductance,
    state_bounds,
)
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

    ``conductance``, ``(N,)``, is the unit of each neuron's conductance in an LTC, and None elsewhere: its
    sums of conductances reach twice as far, and its sums of currents as far with a potential of 1.
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
    offset: Array | None = None,
) -> Coordinates:
    """Coordinates for ``controller``.

    Args:
        controller: what is to be quantised.
        observation: of the raw sensor values during calibration.
        state: of the cell's state; used only where no bound is proved.
        action: of the action before its limits; used only where a limit is missing.
        conductance: of an LTC, the greatest unit that a neuron's sums took: see `needed_conductance`;
            None for what is proved to be enough.
        offset: of an LTC's states, how far their centers lie from the middle of their bounds, in halves of
            the width, ``(N,)``; None for not at all.

    Raises:
        FormatRefusedError: the cell's state is bounded neither by proof nor by calibration.
    """
    acted = _action(controller, action)
    cell = _state(controller, state, offset)
    spec = ltc_of(controller)
    unit = None if spec is None else _conductance(spec, controller, _part(cell, spec.units), conductance)
    if controller.is_slew_limited:
        cell = Affine(np.concatenate([cell.center, acted.center]), np.concatenate([cell.span, acted.span]))
    timing = controller.timing
    return Coordinates(
        observation=_observation(controller, observation),
        dt=Affine(np.zeros(1), np.array([timing.dt_max_s])),
        state=cell,
        action=acted,
        conductance=unit,
    )


def ltc_of(controller: Controller) -> LTCSpec | None:
    """The LTC that a controller is or has inside; None for another cell."""
    spec = controller.cell.cell if isinstance(controller.cell, MixedMemorySpec) else controller.cell
    return spec if isinstance(spec, LTCSpec) else None


def needed_conductance(state: Affine, numerator: Array, denominator: Array) -> Array:
    """The unit of conductance that sums need to be fractions, ``(..., N)``.

    Args:
        state: coordinates of the state, by which potentials are measured.
        numerator, denominator: sums of currents and of conductances as the equations have them.
    """
    current = np.abs(numerator - state.center * denominator) / state.span
    result: Array = np.maximum(current, denominator / 2)
    return result


def _conductance(spec: LTCSpec, controller: Controller, state: Affine, seen: Array | None) -> Array:
    """No more than is possible, and no less than the leak that is always there."""
    possible = greatest_conductance(spec, controller.parameters) / 2
    p = effective_parameters(spec, controller.parameters)
    current = np.abs(p["gleak"] * (p["vleak"] - state.center) - EPSILON * state.center)
    for prefix, synapses in (("", spec.wiring.synapses), ("sensory_", spec.wiring.sensory_synapses)):
        target = synapses[:, 1]
        np.add.at(current, target, p[f"{prefix}w"] * np.abs(p[f"{prefix}erev"] - state.center[target]))
    possible = np.maximum(possible, current / state.span)
    return possible if seen is None else np.minimum(possible, MARGIN * seen)


def _part(affine: Affine, size: int) -> Affine:
    return Affine(affine.center[:size], affine.span[:size])


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


def _state(controller: Controller, seen: Observed, offset: Array | None) -> Affine:
    spec, initial = controller.cell, controller.initial_state
    if isinstance(spec, MixedMemorySpec):
        units = spec.units
        if isinstance(spec.cell, LTCSpec):
            cell = ltc_state(ltc_state_bounds(controller), offset)
        else:
            cell = _bounded(spec.cell, initial[:units], seen.low[:units], seen.high[:units])
        memory = _power_of_two(seen.low[units:], seen.high[units:], initial[units:])
        return Affine(np.concatenate([cell.center, memory.center]), np.concatenate([cell.span, memory.span]))
    if isinstance(spec, LTCSpec):
        return ltc_state(ltc_state_bounds(controller), offset)
    if isinstance(spec, GatedSpec) and spec.kind == "lstm":
        units = spec.units
        hidden = _within(np.ones(units), initial[:units])
        memory = _power_of_two(seen.low[units:], seen.high[units:], initial[units:])
        return Affine(
            np.concatenate([hidden.center, memory.center]), np.concatenate([hidden.span, memory.span])
        )
    return _bounded(spec, initial, seen.low, seen.high)


def ltc_state_bounds(controller: Controller) -> StateBounds:
    """Bounds on the state of an LTC, wherever a controller may start it."""
    spec, initial = ltc_of(controller), controller.initial_state
    assert spec is not None
    start = StateBounds(initial, initial)
    if isinstance(controller.cell, MixedMemorySpec):
        # The memory hands the cell tanh(c)·σ(o), so its state starts from anywhere in [−1, 1].
        reach = np.maximum(1.0, np.abs(initial[: spec.units]))
        start = StateBounds(-reach, reach)
    return state_bounds(spec, controller.parameters, start)


def ltc_state(bounds: StateBounds, offset: Array | None) -> Affine:
    """Coordinates of an LTC's state; ``offset`` is that of `unit_coordinates`."""
    half, apart = (bounds.high - bounds.low) / 2, np.zeros(len(bounds.low)) if offset is None else offset
    # A neuron that nothing drives stays at zero; any span serves it.
    span = np.where(half > 0, half, 1.0) * (1.0 + np.abs(apart))
    return Affine((bounds.low + bounds.high) / 2 + apart * half, span)


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
