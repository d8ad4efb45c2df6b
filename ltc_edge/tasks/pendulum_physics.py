"""The equations of Gymnasium's ``Pendulum-v1``, on arrays of any shape."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ltc_edge.arrays import FloatArray

PERIOD_S = 0.05
MAX_TORQUE_NM = 2.0
MAX_SPEED_RAD_S = 8.0
GRAVITY_M_S2 = 10.0


@dataclass(frozen=True)
class PendulumParameters:
    """What a pendulum is made of: a rod."""

    mass_kg: float = 1.0
    length_m: float = 1.0


NOMINAL = PendulumParameters()


def wrapped(angle: FloatArray) -> FloatArray:
    """``angle`` in [−π, π)."""
    return np.asarray((angle + np.pi) % (2 * np.pi) - np.pi)


def advance(
    angle: FloatArray,
    velocity: FloatArray,
    torque: FloatArray,
    parameters: PendulumParameters = NOMINAL,
    period_s: float = PERIOD_S,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Angle and velocity one period later, and its share of a native period's reward; arrays broadcast.

    Source: ``gymnasium.envs.classic_control.pendulum``. Operations are in its order, so that the
    results are equal to the last bit.
    """
    mass, length = parameters.mass_kg, parameters.length_m
    torque = np.clip(torque, -MAX_TORQUE_NM, MAX_TORQUE_NM)
    cost = wrapped(angle) ** 2 + 0.1 * velocity**2 + 0.001 * (torque**2)
    gravity = 3 * GRAVITY_M_S2 / (2 * length) * np.sin(angle)
    velocity = velocity + (gravity + 3.0 / (mass * length**2) * torque) * period_s
    velocity = np.clip(velocity, -MAX_SPEED_RAD_S, MAX_SPEED_RAD_S)
    return angle + velocity * period_s, velocity, -cost * (period_s / PERIOD_S)
