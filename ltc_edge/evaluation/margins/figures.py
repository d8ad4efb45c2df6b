"""Margins of a loop that was broken at an actuator, from its impulse response.

With ``w`` added to what the actuator gets, and ``a = G (a + w)`` what the controller asks for, the response
from ``w`` to ``a`` is Y = G/(1 − G). The loop gain in the convention of negative feedback is L = −G = −Y/(1 +
Y), the sensitivity S = 1/(1 + L) = 1 + Y. The loop is stable, since Y dies out; a change of the actuator of
gain ``k`` and phase ``φ`` makes it unstable first where 1 + k e^{−jφ} L(e^{jω}) = 0 for some frequency.
Sources: Åström & Murray, *Feedback Systems*, chapter 10; the disk margin: Seiler, Packard, Gahinet, "An
introduction to disk margins", IEEE Control Systems 2020 (arXiv 2003.04771), with σ = 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ltc_edge.arrays import FloatArray

Complex = npt.NDArray[np.complex128]

FREQUENCIES = 20_000
"""Of the grid on (0, π], half of them by equal ratios; crossings are interpolated between them."""

SLOWEST = 1e-4
"""Radians a period of the lowest frequency."""

INTEGRATES = 1e-4
"""A sensitivity at rest below this is zero: the loop integrates."""

RANK_TOLERANCE = 1e-9
"""Singular values of the Hankel matrix below this share of the greatest are rounding."""
MOST_ROWS = 100
"""Blocks down its side."""


@dataclass(frozen=True)
class Margins:
    """How much one actuator may be off, the others in their loops.

    Attributes:
        gain_up: the gain that makes the loop unstable, above 1; None where none does.
        gain_down: the greatest one below 1 that does; None where none does.
        phase_deg: the phase, either way, that makes it unstable; None where none does.
        delay_periods: the least delay beyond those in the loop that does; None where none does.
        crossover_rad_period: where the phase margin is had.
        sensitivity_peak: the greatest |S|; its inverse is the distance of L from −1.
        disk: the disk margin α: gain by (2 + α)/(2 − α) either way *and* phase by 2 atan(α/2) at once are
            safe.
    """

    gain_up: float | None
    gain_down: float | None
    phase_deg: float | None
    delay_periods: float | None
    crossover_rad_period: float | None
    sensitivity_peak: float
    disk: float

    @property
    def disk_gain(self) -> tuple[float, float | None]:
        """The range of gains that the disk margin covers; without an upper end where α ≥ 2."""
        alpha = self.disk
        return max(0.0, (2.0 - alpha) / (2.0 + alpha)), (2.0 + alpha) / (2.0 - alpha) if alpha < 2.0 else None

    @property
    def disk_phase_deg(self) -> float:
        """The phase that the disk margin covers either way."""
        return float(np.degrees(2.0 * np.arctan(0.5 * self.disk)))


def margins(response: FloatArray) -> Margins:
    """Of the impulse response ``(K,)`` of one actuator's command to its own input."""
    omega = np.union1d(
        np.geomspace(SLOWEST, np.pi, FREQUENCIES // 2), np.linspace(SLOWEST, np.pi, FREQUENCIES // 2)
    )
    sensitivity = 1.0 + _transform(response, omega)
    loop = 1.0 / sensitivity - 1.0
    up, down = _gains(loop, float(response.sum()))
    phase, crossover, delay = _phases(loop, omega)
    return Margins(
        gain_up=up,
        gain_down=down,
        phase_deg=None if phase is None else float(np.degrees(phase)),
        delay_periods=delay,
        crossover_rad_period=crossover,
        sensitivity_peak=float(np.abs(sensitivity).max()),
        disk=float(1.0 / np.abs(sensitivity - 0.5).max()),
    )


def _transform(response: FloatArray, omega: FloatArray) -> Complex:
    """Σ y_k e^{−jωk}."""
    result = np.zeros(len(omega), dtype=np.complex128)
    turn, power = np.exp(-1j * omega), np.ones(len(omega), dtype=np.complex128)
    for value in response:
        result += value * power
        power *= turn
    return result


def _gains(loop: Complex, at_rest: float) -> tuple[float | None, float | None]:
    """The nearest gains above and below 1 at which k L is −1: where L is real and negative."""
    # Where the loop integrates, S is zero at rest, but for what is cut off of the response.
    resting = 1.0 / (1.0 + at_rest) - 1.0 if abs(1.0 + at_rest) > INTEGRATES else np.inf
    values = [resting, float(loop[-1].real)]
    for index in np.flatnonzero(np.diff(np.sign(loop.imag)) != 0):
        one, other = loop[index], loop[index + 1]
        share = one.imag / (one.imag - other.imag)
        values.append(float(one.real + share * (other.real - one.real)))
    gains = np.array([-1.0 / value for value in values if value < 0.0])
    above, below = gains[gains > 1.0], gains[gains < 1.0]
    return (
        float(above.min()) if len(above) else None,
        float(below.max()) if len(below) else None,
    )


def _phases(loop: Complex, omega: FloatArray) -> tuple[float | None, float | None, float | None]:
    """The least phase in radians, where it is had, and the least delay in periods: where |L| is 1."""
    size = np.log(np.maximum(np.abs(loop), 1e-300))
    crossings = np.flatnonzero(np.diff(np.sign(size)) != 0)
    if not len(crossings):
        return None, None, None
    share = size[crossings] / (size[crossings] - size[crossings + 1])
    at = omega[crossings] + share * (omega[crossings + 1] - omega[crossings])
    turned = np.angle(loop[crossings + 1] / loop[crossings])
    # From −1 on, anticlockwise: the lag that brings L there.
    lag = np.mod(np.pi + np.angle(loop[crossings]) + share * turned, 2.0 * np.pi)
    either = np.minimum(lag, 2.0 * np.pi - lag)
    return float(either.min()), float(at[either.argmin()]), float((lag / at).min())


def modes(response: FloatArray, noise: FloatArray) -> Complex:
    """Eigenvalues of the closed loop that a change of an actuator stirs, by falling magnitude.

    The eigensystem realisation of an impulse response ``(K, p, M)`` (Ho & Kalman 1966; Juang & Pappa,
    *Journal of Guidance* 1985): of the least linear system with that response. What is no greater than
    ``noise``, of the same shape, tells nothing of the system, and is left out.
    """
    scale = np.abs(response).max(axis=(0, 2), keepdims=True)
    scale = np.where(scale > 0, scale, 1.0)
    hankel, shifted = _hankel(response / scale)
    floor = np.linalg.norm(_hankel(noise / scale)[0], 2)
    u, s, v = np.linalg.svd(hankel, full_matrices=False)
    rank = max(int((s > max(2.0 * floor, RANK_TOLERANCE * s[0])).sum()), 1)
    root = np.sqrt(s[:rank])
    system = (u[:, :rank].T @ shifted @ v[:rank].T) / root[:, None] / root
    found = np.linalg.eigvals(system).astype(np.complex128)
    return np.asarray(found[np.argsort(-np.abs(found), kind="stable")])


def _hankel(response: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Block Hankel matrices of a response from its second step on, and from its third."""
    markov = response[1:]
    rows = min(len(markov) // 2, MOST_ROWS)
    columns = min(len(markov) - rows, 2 * MOST_ROWS)
    blocks = [np.concatenate(list(markov[row : row + columns]), axis=1) for row in range(rows + 1)]
    return np.concatenate(blocks[:-1]), np.concatenate(blocks[1:])
