"""What surrounds the arithmetic of a generated int16 step: how raw values become codes, and their limits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ltc_edge.controller import Controller
from ltc_edge.errors import FormatRefusedError
from ltc_edge.export.c.arithmetic import Float32
from ltc_edge.export.c.guard import Guard, guard_of
from ltc_edge.export.c.int16.arithmetic import MOST
from ltc_edge.export.c.int16.steps import Int16, Steps
from ltc_edge.export.ltc_bounds import StateBounds
from ltc_edge.export.plan import QuantizationPlan
from ltc_edge.export.program import DT, OBSERVATION, STATE_IN, Affine
from ltc_edge.runtimes.codes import Codes


@dataclass(frozen=True, eq=False)
class CodeGuard:
    """Numbers of the guard.

    Attributes:
        raw: limits and fallback in the actuators' units.
        observation_center, observation_gain: ``code = (raw − center) · gain``, ``(I,)``.
        dt_center, dt_gain: the same of dt, ``(1,)``.
        dt_codes: codes of the shortest and the longest dt, ``(2,)``.
        action_center, action_span: ``raw = center + code · span``, ``(M,)``.
        fallback_codes: the code of the fallback, ``(M,)``.
        initial_state: after a reset, ``(S,)``.

    Every code of a state lies within its proved bounds, which are what its codes are fractions of.
    """

    raw: Guard
    observation_center: Float32
    observation_gain: Float32
    dt_center: Float32
    dt_gain: Float32
    dt_codes: Int16
    action_center: Float32
    action_span: Float32
    fallback_codes: Int16
    initial_state: Int16


def state_codes(plan: QuantizationPlan) -> Codes:
    """How the items of the context are coded."""
    state = plan.coordinates.state
    center, span = state.center.astype(np.float64), state.span.astype(np.float64)
    return Codes("int16", center, span, plan.tensors[STATE_IN].scale16, 0)


def code_guard(controller: Controller, plan: QuantizationPlan, steps: Steps) -> CodeGuard:
    """The guard of a controller.

    Raises:
        FormatRefusedError: a number of it is beyond float32.
    """
    coordinates, state = plan.coordinates, state_codes(plan)
    nothing = np.zeros(controller.cell.state_size)
    observation_center, observation_gain = _encoding(coordinates.observation, steps.bits[OBSERVATION])
    dt_center, dt_gain = _encoding(coordinates.dt, steps.bits[DT])
    dt_range = np.array([controller.timing.dt_min_s, controller.timing.dt_max_s], dtype=np.float32)
    scale = 2.0 ** -steps.bits[steps.action]
    action = coordinates.action
    return CodeGuard(
        guard_of(controller, StateBounds(nothing, nothing)),
        observation_center,
        observation_gain,
        dt_center,
        dt_gain,
        encode(dt_range, dt_center, dt_gain),
        action.center.astype(np.float32),
        (action.span * scale).astype(np.float32),
        _symmetric(np.rint(action.to_fraction(controller.fallback) / scale)),
        state.encode(controller.reset_state),
    )


def _symmetric(codes: np.ndarray) -> Int16:
    """Codes without −32768, which no step gives."""
    within: Int16 = np.clip(codes, -MOST, MOST).astype(np.int16)
    return within


def _encoding(signal: Affine, bits: int) -> tuple[Float32, Float32]:
    with np.errstate(over="ignore"):
        center, gain = signal.center.astype(np.float32), (2.0**bits / signal.span).astype(np.float32)
    if not (np.isfinite(center).all() and np.isfinite(gain).all() and (gain > 0).all()):
        raise FormatRefusedError(
            "out-of-range",
            f"float32 cannot code a signal that lies within {signal.span.min():.3g} of "
            f"{signal.center[signal.span.argmin()]:.3g}; choose another unit for it",
        )
    return center, gain


def encode(raw: Float32, center: Float32, gain: Float32) -> Int16:
    """``ltc_encode_i16``: codes of raw values, all float32."""
    with np.errstate(over="ignore"):
        scaled = (raw - center) * gain
    codes: Int16 = np.rint(np.clip(scaled, np.float32(-MOST), np.float32(MOST))).astype(np.int16)
    return codes


def decode(codes: Int16, center: Float32, span: Float32) -> Float32:
    """``ltc_decode_i16``: raw values of codes."""
    return center + codes.astype(np.float32) * span
