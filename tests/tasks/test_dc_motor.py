"""The servo's physics against an independent integrator, and what its episodes draw."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from ltc_edge.tasks import dc_motor, make_task
from ltc_edge.tasks import dc_motor_physics as physics

MOTOR = physics.NOMINAL


def derivative(_, state, voltage):
    position, speed, current, drive = state
    friction = physics.VISCOUS_NM_S_RAD * speed
    friction += MOTOR.coulomb_nm * np.tanh(speed / physics.COULOMB_SPEED_RAD_S)
    del position
    return [
        speed,
        (MOTOR.motor_constant_nm_a * current - friction) / MOTOR.inertia_kg_m2,
        (drive - MOTOR.resistance_ohm * current - MOTOR.motor_constant_nm_a * speed) / physics.INDUCTANCE_H,
        (voltage - drive) / MOTOR.drive_lag_s,
    ]


@pytest.mark.parametrize("duration_s", [0.005, 0.02])
@pytest.mark.parametrize("voltage", [1.5, -6.0])
def test_steps_follow_the_differential_equation(duration_s, voltage):
    state = np.array([[0.3, 4.0, 0.1, voltage, voltage]])
    exact = solve_ivp(
        derivative, (0, 0.2), state[0, :4], args=(voltage,), method="LSODA", rtol=1e-9, atol=1e-10
    )
    for _ in range(round(0.2 / duration_s)):
        state = physics.advance(state, np.array([voltage]), np.array([duration_s]))
    np.testing.assert_allclose(state[0, :4], exact.y[:, -1], rtol=0.02, atol=1e-3)


def test_linear_dynamics_are_the_derivative_without_dry_friction():
    a, b = physics.linear_dynamics()
    state, voltage = np.array([0.2, -3.0, 0.4, 5.0]), 2.0
    expected = derivative(0, state, voltage)
    expected[1] += MOTOR.coulomb_nm * np.tanh(-3.0 / physics.COULOMB_SPEED_RAD_S) / MOTOR.inertia_kg_m2
    np.testing.assert_allclose(a @ state + b[:, 0] * voltage, expected)


def test_voltage_is_limited_in_size_and_slew():
    state = np.zeros((1, 5))
    after = physics.advance(state, np.array([100.0]), np.array([0.005]))
    assert after[0, 4] == pytest.approx(physics.MAX_SLEW_V_S * 0.005)
    for _ in range(50):
        after = physics.advance(after, np.array([100.0]), np.array([0.01]))
    assert after[0, 3] == pytest.approx(physics.MAX_VOLTAGE_V)


def test_encoder_counts():
    count = 2 * np.pi / physics.ENCODER_COUNTS
    np.testing.assert_allclose(physics.encoder(np.array([0.4, 1.5]) * count), [0, count])
    assert np.abs(physics.encoder(np.linspace(-3, 3, 50)) - np.linspace(-3, 3, 50)).max() <= count


def test_sampling_is_irregular_within_the_range_and_seeded():
    task = make_task("dc-motor")
    plants = task.make_plants()
    readings = plants.reset(list(range(8)))
    np.testing.assert_array_equal(readings.dt_s, task.period_s)
    dt_s = np.array([plants.step(np.zeros((8, 1)), np.ones(8, dtype=bool)).dt_s for _ in range(500)])
    assert dt_s.min() >= task.dt_range_s[0]
    assert dt_s.max() <= task.dt_range_s[1]
    assert len(np.unique(dt_s)) > 3900
    # log-uniform between half and twice the period: the median is the period
    assert np.median(dt_s) == pytest.approx(task.period_s, rel=0.05)
    plants.reset([7])
    assert plants.step(np.zeros((1, 1)), np.ones(1, dtype=bool)).dt_s[0] == dt_s[0, 7]


def test_references_jump_and_last_a_whole_episode():
    plants = make_task("dc-motor").make_plants()
    references = [plants.reset([0, 1]).privileged[:, 0]]
    idle, active = np.zeros((2, 1)), np.ones(2, dtype=bool)
    references += [plants.step(idle, active).privileged[:, 0] for _ in range(dc_motor.MAX_STEPS)]
    changes = (np.diff(references, axis=0) != 0).sum(axis=0)
    assert ((changes >= 4) & (changes <= 25)).all()
    assert np.abs(references).max() <= dc_motor.MAX_REFERENCE_RAD


def test_expert_leaves_no_steady_error():
    task = make_task("dc-motor")
    state = np.zeros((1, 5))
    for _ in range(300):
        action = task.expert(np.concatenate([[[1.0]], state], axis=1))[0]
        state = physics.advance(state, action, np.array([task.period_s]))
    assert state[0, 0] == pytest.approx(1.0, abs=1e-3)
