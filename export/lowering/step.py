"""A whole controller as a program: normaliser, cell, readout and limits."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ltc_edge.cells.spec import CellSpec, CfCSpec, CTRNNSpec, LTCSpec, MixedMemorySpec
from ltc_edge.controller import Controller
from ltc_edge.errors import FormatRefusedError
from ltc_edge.export.coordinates import Coordinates
from ltc_edge.export.float32 import at_least, at_most
from ltc_edge.export.lowering.cfc import lower_cfc
from ltc_edge.export.lowering.ltc import lower_ltc
from ltc_edge.export.lowering.recurrent import lower_ctrnn, lower_gru, lower_lstm, lower_memory
from ltc_edge.export.program import (
    DT,
    OBSERVATION,
    STATE_IN,
    Affine,
    Array,
    Program,
    ProgramBuilder,
    Range,
    Signal,
)

FRACTION = Range(-1.0, 1.0)
SHARE = Range(0.0, 1.0)
UNLIMITED = 2.0
"""A reach from one end of the action's fractions to the other."""

LEAST_REACH = 4 * 2.0**-15
"""Least reach of a slew limit in a period: with fewer steps of its code an action is slow or stands still."""

NO_LIMIT = 1e30
"""A reach in natural units that no action makes use of."""


def lower_floating(controller: Controller) -> Program:
    """The step in natural units, from raw sensor values to bounded actions: for float32."""
    builder = ProgramBuilder()
    timing = controller.timing
    observation = builder.input(OBSERVATION, controller.cell.inputs)
    dt = builder.input(DT, 1)
    state = builder.input(STATE_IN, controller.state_size)
    with builder.stage("normalize"):
        # Centred first: in float32 the difference of two large numbers is exact, their scaled forms' is not.
        scale, limit = controller.normalizer.scale, controller.input_limit
        centred = builder.binary(
            "sub", "centred", observation, builder.constant("offset", controller.normalizer.offset)
        )
        below = builder.binary("minimum", "below", centred, builder.constant("most", limit * scale))
        clipped = builder.binary("maximum", "clipped", below, builder.constant("least", -limit * scale))
        z = Signal(clipped, np.zeros(len(scale)), 1.0 / scale)
    with builder.stage("elapsed"):
        shortest = builder.binary(
            "maximum", "at_least", dt, builder.constant("dt_min", np.array([timing.dt_min_s]))
        )
        seconds = builder.binary(
            "minimum", "seconds", shortest, builder.constant("dt_max", np.array([timing.dt_max_s]))
        )
        t = Signal(seconds, np.zeros(1), np.array([1.0 / timing.time_unit_s]))
    size = controller.cell.state_size
    cell_state, previous = _split_state(builder, controller, state)
    outputs, following = _cell(builder, controller, z, t, Signal.natural(cell_state, size), None, None)
    weight, bias = _readout(controller)
    low, high = controller.limits
    with builder.stage("readout"):
        action = builder.dense("action", outputs, weight, bias)
    with builder.stage("limit"):
        if np.isfinite(high).any():
            action = builder.binary("minimum", "below_high", action, builder.constant("high", at_most(high)))
        if np.isfinite(low).any():
            action = builder.binary("maximum", "above_low", action, builder.constant("low", at_least(low)))
        if previous is not None:
            action = _slew(builder, action, previous, Signal.natural(seconds, 1), controller.slew, None)
            following = builder.concat("state_and_action", (following, action))
    return builder.program(action=action, state_out=following)


def lower_unit(controller: Controller, coordinates: Coordinates) -> Program:
    """The step in unit coordinates, from fractions to fractions: for integers.

    What is normalised, denormalised and limited in `lower_floating` is here the meaning of the fractions
    and the saturation of the integers, so none of it is left to be executed.

    Raises:
        FormatRefusedError: the controller has no such form.
    """
    builder = ProgramBuilder()
    size = controller.cell.state_size
    observation = builder.input(OBSERVATION, controller.cell.inputs, FRACTION)
    dt = builder.input(DT, 1, SHARE)
    state = builder.input(STATE_IN, controller.state_size, FRACTION)
    normalizer, seen = controller.normalizer, coordinates.observation
    z = Signal(
        observation, (seen.center - normalizer.offset) / normalizer.scale, seen.span / normalizer.scale
    )
    t = Signal(dt, np.zeros(1), coordinates.dt.span / controller.timing.time_unit_s)
    cell_state, previous = _split_state(builder, controller, state)
    unit = Affine(coordinates.state.center[:size], coordinates.state.span[:size])
    outputs, following = _cell(
        builder, controller, z, t, Signal(cell_state, unit.center, unit.span), unit, coordinates.conductance
    )
    weight, bias = _readout(controller)
    acted = coordinates.action
    with builder.stage("readout"):
        saturating = Range(-1.0, 1.0, saturates=True)
        action = builder.dense(
            "action", outputs, weight / acted.span[:, None], (bias - acted.center) / acted.span, saturating
        )
    if previous is not None:
        with builder.stage("limit"):
            slew = controller.slew / acted.span
            _refuse_slow_slew(controller, slew)
            # As good as unlimited at the shortest dt: such a rate would only cost its integers their range.
            slew = np.where(slew * controller.timing.dt_min_s < UNLIMITED, slew, np.inf)
            seconds = Signal(dt, np.zeros(1), coordinates.dt.span)
            action = _slew(builder, action, previous, seconds, slew, Range(0.0, UNLIMITED, saturates=True))
            following = builder.concat("state_and_action", (following, action))
    return builder.program(action=action, state_out=following)


def _refuse_slow_slew(controller: Controller, slew: Array) -> None:
    """``slew`` in fractions a second: in a period it must be worth a few steps of the action's code."""
    reach = slew * controller.timing.period_s
    if reach.min() < LEAST_REACH:
        raise FormatRefusedError(
            "slow-slew",
            f"action {controller.actions[int(reach.argmin())].name} may move by {reach.min():.2g} of half "
            "its range in a period, too little for 16 bits; allow a faster slew",
        )


def _split_state(builder: ProgramBuilder, controller: Controller, state: str) -> tuple[str, str | None]:
    """The cell's state, and the previous action where slew is limited."""
    if not controller.is_slew_limited:
        return state, None
    size = controller.cell.state_size
    return (
        builder.slice("cell_state", state, 0, size),
        builder.slice("previous_action", state, size, controller.state_size),
    )


def _readout(controller: Controller) -> tuple[Array, Array]:
    """Readout and denormaliser as one affine map, outputs to actions: ``(M, O)``, ``(M,)``."""
    size = controller.cell.outputs
    weight, bias = np.eye(size), np.zeros(size)
    if controller.has_readout:
        weight = controller.parameters["readout_weight"].astype(np.float64)
        bias = controller.parameters["readout_bias"].astype(np.float64)
    scale, offset = controller.denormalizer.scale, controller.denormalizer.offset
    return scale[:, None] * weight, scale * bias + offset


def _slew(
    builder: ProgramBuilder, action: str, previous: str, dt: Signal, slew: Array, whole: Range | None
) -> str:
    """The action within ``slew · dt`` of the previous one.

    ``whole`` is the range of a reach from one end of the action's fractions to the other in the unit
    form, and None in the floating form. A channel whose slew is infinite has a reach of its own.
    """
    limited = np.isfinite(slew)
    weight = np.where(limited, slew, 0.0)[:, None]
    room = np.where(limited, 0.0, NO_LIMIT if whole is None else UNLIMITED)
    within = None if whole is None else Range(-1.0, 1.0, saturates=True)
    reach = builder.dense("reach", dt, weight, room, whole)
    most = builder.binary("add", "most", previous, reach, within)
    least = builder.binary("sub", "least", previous, reach, within)
    held = builder.binary("minimum", "not_above", action, most, within)
    return builder.binary("maximum", "slewed", held, least, within)


def _cell(
    builder: ProgramBuilder,
    controller: Controller,
    z: Signal,
    t: Signal,
    state: Signal,
    unit: Affine | None,
    conductance: Array | None,
) -> tuple[Signal, str]:
    """The cell's outputs, and its next state in the coordinates asked for."""
    parameters = {name: array.astype(np.float64) for name, array in controller.parameters.items()}
    spec = controller.cell
    if not isinstance(spec, MixedMemorySpec):
        with builder.stage(spec.kind):
            return _plain_cell(builder, spec, parameters, z, t, state, unit, conductance)
    units = spec.units
    with builder.stage("memory"):
        own, memory = (
            builder.part("cell_state", state, 0, units),
            builder.part("memory_state", state, units, 2 * units),
        )
        handed, remembered = lower_memory(builder, units, parameters, z, own, memory)
    inner = None if unit is None else Affine(unit.center[:units], unit.span[:units])
    with builder.stage(spec.cell.kind):
        outputs, following = _plain_cell(builder, spec.cell, parameters, z, t, handed, inner, conductance)
    with builder.stage("memory"):
        coded = (
            remembered.tensor
            if unit is None
            else builder.in_coordinates(
                "memory_fraction", remembered, Affine(unit.center[units:], unit.span[units:])
            )
        )
        return outputs, builder.concat("state", (following, coded))


def _plain_cell(
    builder: ProgramBuilder,
    spec: CellSpec,
    p: Mapping[str, Array],
    z: Signal,
    t: Signal,
    state: Signal,
    unit: Affine | None,
    conductance: Array | None,
) -> tuple[Signal, str]:
    assert not isinstance(spec, MixedMemorySpec)
    if isinstance(spec, LTCSpec):
        return lower_ltc(builder, spec, p, z, t, state, unit, conductance)
    if isinstance(spec, CfCSpec):
        outputs, following = lower_cfc(builder, spec, p, z, t, state, unit)
    elif isinstance(spec, CTRNNSpec):
        outputs = following = lower_ctrnn(builder, spec, p, z, t, state)
    elif spec.kind == "gru":
        outputs = following = lower_gru(builder, spec, p, z, t, state)
    else:
        n = spec.units
        h, c = builder.part("hidden_state", state, 0, n), builder.part("memory_state", state, n, 2 * n)
        outputs, c = lower_lstm(builder, spec, p, z, t, h, c)
        if unit is None:
            return outputs, builder.concat("state", (outputs.tensor, c.tensor))
        coded_h = builder.in_coordinates("hidden_fraction", outputs, Affine(unit.center[:n], unit.span[:n]))
        coded_c = builder.in_coordinates("memory_fraction", c, Affine(unit.center[n:], unit.span[n:]))
        return outputs, builder.concat("state", (coded_h, coded_c))
    if unit is None:
        return outputs, following.tensor
    return outputs, builder.in_coordinates("state_fraction", following, unit)
