"""A direct-drive position servo: armature, load, friction and a drive that lags.

The numbers are those of the Quanser QUBE-Servo 2 with its inertia disc (user manual, table of system
parameters). The manual gives neither friction nor the drive's dynamics: these are small values chosen
for this task.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ltc_edge.arrays import FloatArray

INDUCTANCE_H = 1.16e-3
ROTOR_KG_M2 = 4.0e-6
HUB_KG_M2 = 0.6e-6
DISC_KG_M2 = 0.5 * 0.053 * 0.0248**2
ENCODER_COUNTS = 2048

VISCOUS_NM_S_RAD = 5.0e-6
COULOMB_SPEED_RAD_S = 0.5  # below it, dry friction fades out: the shaft creeps instead of sticking
MAX_VOLTAGE_V = 12.0
MAX_SLEW_V_S = 1000.0

SUBSTEPS = 20


@dataclass(frozen=True)
class MotorParameters:
    """What differs most between motors; ``motor_constant`` is both that of torque and that of back EMF."""

    resistance_ohm: float = 8.4
    motor_constant_nm_a: float = 0.042
    inertia_kg_m2: float = ROTOR_KG_M2 + HUB_KG_M2 + DISC_KG_M2
    coulomb_nm: float = 1.0e-3
    drive_lag_s: float = 5.0e-3


NOMINAL = MotorParameters()


def advance(
    state: FloatArray,
    voltage: FloatArray,
    duration_s: FloatArray,
    motor: MotorParameters = NOMINAL,
    substeps: int = SUBSTEPS,
) -> FloatArray:
    """States ``[position, speed, current, drive voltage, drive command]``, ``(A, 5)``, after ``duration_s``.

    ``voltage`` and ``duration_s`` have shape ``(A,)``; the voltage is held. The command follows it within
    the slew rate, the drive follows the command with a first-order lag, and

        L di/dt = v − R i − K_e ω        J dω/dt = K_t i − b ω − T_c tanh(ω / ω_c)

    Sub-steps are implicit in the current, whose time constant of 0.14 ms is shorter than they are, exact
    in the lag and symplectic in the shaft. Source of the equations: Franklin, Powell, Emami-Naeini,
    *Feedback Control of Dynamic Systems*, section 2.3.
    """
    position, speed, current, drive, command = state.T
    target = np.clip(voltage, -MAX_VOLTAGE_V, MAX_VOLTAGE_V)
    h = duration_s / substeps
    most = MAX_SLEW_V_S * h
    kept = np.exp(-h / motor.drive_lag_s)
    for _ in range(substeps):
        command = command + np.clip(target - command, -most, most)
        drive = command + (drive - command) * kept
        emf = motor.motor_constant_nm_a * speed
        current = (INDUCTANCE_H * current + h * (drive - emf)) / (INDUCTANCE_H + h * motor.resistance_ohm)
        friction = VISCOUS_NM_S_RAD * speed + motor.coulomb_nm * np.tanh(speed / COULOMB_SPEED_RAD_S)
        speed = speed + h * (motor.motor_constant_nm_a * current - friction) / motor.inertia_kg_m2
        position = position + h * speed
    return np.stack([position, speed, current, drive, command], axis=1)


def linear_dynamics() -> tuple[FloatArray, FloatArray]:
    """``A`` ``(4, 4)`` and ``B`` ``(4, 1)`` of ``[position, speed, current, drive voltage]``.

    Dry friction, saturation and the slew rate are left out.
    """
    constant, inertia, lag_s = NOMINAL.motor_constant_nm_a, NOMINAL.inertia_kg_m2, NOMINAL.drive_lag_s
    a = np.array(
        [
            [0.0, 1.0, 0.0, 0.0],
            [0.0, -VISCOUS_NM_S_RAD / inertia, constant / inertia, 0.0],
            [0.0, -constant / INDUCTANCE_H, -NOMINAL.resistance_ohm / INDUCTANCE_H, 1 / INDUCTANCE_H],
            [0.0, 0.0, 0.0, -1 / lag_s],
        ]
    )
    return a, np.array([[0.0], [0.0], [0.0], [1 / lag_s]])


def encoder(position: FloatArray) -> FloatArray:
    """What the encoder reports of a shaft position, in radians."""
    count = 2 * np.pi / ENCODER_COUNTS
    return np.asarray(np.floor(position / count) * count)
