"""Margins of loops whose transfer functions can be written down."""

import numpy as np
import pytest

from ltc_edge.evaluation.margins.figures import margins, modes


def response(gain, pole, steps=600):
    """Of L(z) = gain/(z − pole) in negative feedback: −L/(1 + L)."""
    closed = pole - gain
    return np.concatenate([[0.0], -gain * closed ** np.arange(steps - 1)])


@pytest.mark.parametrize("gain", [0.1, 0.5, 1.2])
def test_an_integrator(gain):
    found = margins(response(gain, 1.0))
    assert found.gain_up == pytest.approx(2.0 / gain, rel=1e-5)
    assert found.gain_down is None
    # |L| = 1 where 2 sin(ω/2) is the gain; its phase there is −(π + ω)/2.
    omega = 2.0 * np.arcsin(0.5 * gain)
    assert np.radians(found.phase_deg) == pytest.approx(0.5 * (np.pi - omega), rel=1e-5)
    assert found.crossover_rad_period == pytest.approx(omega, rel=1e-4)
    assert found.delay_periods == pytest.approx(0.5 * (np.pi - omega) / omega, rel=1e-4)
    # S = (z − 1)/(z − 1 + gain) is greatest at z = −1.
    assert found.sensitivity_peak == pytest.approx(2.0 / (2.0 - gain), rel=1e-6)


def test_an_unstable_plant_needs_its_gain():
    found = margins(response(0.8, 1.2))
    assert found.gain_down == pytest.approx(0.2 / 0.8, rel=1e-4)
    assert found.gain_up == pytest.approx(2.2 / 0.8, rel=1e-4)
    low, high = found.disk_gain
    assert found.gain_down <= low < 1.0 < high <= found.gain_up
    assert found.disk_phase_deg <= found.phase_deg


def test_a_loop_of_little_gain_takes_any_phase():
    found = margins(response(0.1, 0.5))
    assert found.phase_deg is None
    assert found.delay_periods is None
    assert found.gain_down is None
    assert found.gain_up == pytest.approx(15.0, rel=1e-4)


def test_a_disk_wider_than_all_gains_has_no_upper_end():
    found = margins(np.zeros(100))
    assert found.disk == 2.0
    assert found.disk_gain == (0.0, None)
    assert found.gain_up is None
    assert found.sensitivity_peak == 1.0


def test_modes_are_the_poles_and_noise_has_none():
    rng = np.random.default_rng(0)
    a = np.diag([0.95, 0.6]) + 0.0
    block = 0.9 * np.array([[np.cos(0.7), -np.sin(0.7)], [np.sin(0.7), np.cos(0.7)]])
    system = np.block([[a, np.zeros((2, 2))], [np.zeros((2, 2)), block]])
    b, c = rng.normal(size=(4, 2)), rng.normal(size=(3, 4))
    markov = [np.zeros((3, 2))] + [c @ np.linalg.matrix_power(system, k) @ b for k in range(300)]
    exact = np.stack(markov)
    noise = 1e-7 * rng.normal(size=exact.shape)
    found = modes(exact + 0.5 * noise, noise)
    assert len(found) == 4
    expected = np.sort_complex(np.linalg.eigvals(system))
    np.testing.assert_allclose(np.sort_complex(found), expected, atol=1e-4)
    assert abs(found[0]) == pytest.approx(0.95, abs=1e-5)
