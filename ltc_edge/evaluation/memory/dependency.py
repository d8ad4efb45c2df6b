"""Whether what a network got wrong is told by inputs further back than it reaches: a test on data.

What the network left over is freed of what inputs within its reach and their squares tell, and so are
the inputs beyond it (Frisch & Waugh 1933); what remains of the two is correlated, lag by lag. The largest
correlation is held against the largest that the same series give once one is shifted in time against the
other, which keeps the autocorrelation of both (a max-T test, Westfall & Young 1993), so that a false
alarm is as rare as the level says however many lags are looked at.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ltc_edge.arrays import FloatArray

LEVEL = 0.01
"""Probability of a false alarm that is accepted."""

SHIFTS = 199
"""Shifts the correlation is held against; the smallest p-value they can give is 1/200."""

LEAST_GAIN = 0.02
"""Share of the target's variance that an input beyond reach must explain, beyond chance, to be named."""

FEWEST_SAMPLES = 120
"""With fewer there are not the 100 shifts that `LEVEL` asks for."""

MOST_CONTROLS = 0.2
"""Of the samples: more columns within reach would fit the noise."""

MOST_COMPONENTS = 3
"""Principal components of the error of many targets: as many tests, and little is lost."""

CHUNK = 50
"""Shifts at once: what keeps the products in memory small."""


@dataclass(frozen=True, eq=False)
class History:
    """Moments at which a network answered, with the inputs up to then.

    Attributes:
        error: target minus answer, ``(N, M)``, in the order of time.
        target: ``(N, M)``, in the same units.
        inputs: normalised, lag 0 (the same moment) first, ``(N, H, I)``.
    """

    error: FloatArray
    target: FloatArray
    inputs: FloatArray


@dataclass(frozen=True)
class Dependency:
    """A dependency beyond a network's reach.

    Attributes:
        lag: steps back at which it shows most.
        channel: index of the input.
        squared: it is the input's square that tells, not the input.
        gain: share of the target's variance explained there that the network leaves unexplained.
        p_value: of the test over all lags and channels.
    """

    lag: int
    channel: int
    squared: bool
    gain: float
    p_value: float


def unexplained(history: History) -> float:
    """Share of the target's variance that is left in the error; 0 where the target never changes."""
    total = float(history.target.var(axis=0).sum())
    return float(history.error.var(axis=0).sum()) / total if total > 0 else 0.0


def told_within(history: History, reach: int) -> float:
    """Share of the error's variance that inputs up to ``reach`` steps back and their squares tell.

    Adjusted for the number of columns, so that noise gives 0 on average; 1 at most.
    """
    samples = len(history.error)
    basis = _orthonormal(_controls(history.inputs, min(reach, history.inputs.shape[1] - 1)))
    kept = _kept(history.error, basis) * (samples - 1) / max(samples - basis.shape[1], 1)
    return float(1.0 - kept)


def find_dependency(history: History, reach: int, *, seed: int = 0) -> Dependency | None:
    """The strongest dependency of the error on inputs more than ``reach`` steps back, or None.

    None also where there are too few samples to tell, or no lag beyond ``reach``. Dependencies of higher
    order, such as the parity of many inputs, leave no correlation with any one of them, and are not found.

    Args:
        history: the moments.
        reach: last lag at which the network's gradient has not vanished.
        seed: of the shifts.
    """
    samples, lags, channels = history.inputs.shape
    left = unexplained(history)
    if samples < FEWEST_SAMPLES or reach >= lags - 1 or left < LEAST_GAIN:
        return None
    beyond = history.inputs[:, reach + 1 :].reshape(samples, -1)
    tried = np.concatenate([beyond, beyond**2], axis=1)
    basis = _orthonormal(_controls(history.inputs, reach))
    far = _normalised(_without(tried, basis), tried)
    error, shares = _components(_without(history.error, basis))
    observed = (far.T @ error) ** 2
    # Of a binary input the square is the input again, up to rounding: it must be better to be named.
    observed[beyond.shape[1] :] *= 1.0 - 1e-6
    at, which = np.unravel_index(observed.argmax(), observed.shape)
    highest = _highest_when_shifted(far, error, basis, np.random.default_rng(seed))
    p_value = (1 + int((highest >= observed[at, which]).sum())) / (1 + len(highest))
    # What the best of as many gives by chance is taken off, or few samples would make anything look strong.
    by_chance = float(np.median(highest))
    share = float(((observed[at] - by_chance).clip(min=0.0) * shares).sum())
    gain = share * left * _kept(history.error, basis)
    if p_value > LEVEL or gain < LEAST_GAIN:
        return None
    square, place = divmod(int(at), beyond.shape[1])
    lag, channel = divmod(place, channels)
    return Dependency(reach + 1 + lag, channel, bool(square), gain, p_value)


def _controls(inputs: FloatArray, reach: int) -> FloatArray:
    """Inputs within reach and their squares, ``(N, any)``: all lags, or both ends and a few between."""
    samples, _, channels = inputs.shape
    room = max(1, int(MOST_CONTROLS * samples) // (2 * channels))
    lags = np.arange(reach + 1)
    if len(lags) > room:
        # The latest lags tell most of the target, the furthest most of what lies beyond them.
        spread = np.linspace(0, reach, max(1, room - 2 * (room // 3))).round().astype(int)
        lags = np.unique(np.concatenate([lags[: room // 3], spread, lags[len(lags) - room // 3 :]]))
    near = inputs[:, lags].reshape(samples, -1)
    return np.concatenate([np.ones((samples, 1)), near, near**2], axis=1)


def _orthonormal(columns: FloatArray) -> FloatArray:
    """An orthonormal basis of the columns' span, ``(N, rank)``."""
    left, singular, _ = np.linalg.svd(columns, full_matrices=False)
    result: FloatArray = left[:, singular > 1e-9 * singular[0]]
    return result


def _without(values: FloatArray, basis: FloatArray) -> FloatArray:
    result: FloatArray = values - basis @ (basis.T @ values)
    return result


def _normalised(remains: FloatArray, before: FloatArray) -> FloatArray:
    """Columns of length 1; those of which nothing but rounding remains become 0."""
    length = np.linalg.norm(remains, axis=0)
    real = length > 1e-6 * np.linalg.norm(before, axis=0)
    result: FloatArray = remains * np.where(real, 1.0 / np.where(real, length, 1.0), 0.0)
    return result


def _components(error: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The error's first principal components, unit columns ``(N, k)``, and their shares of its variance."""
    left, singular, _ = np.linalg.svd(error, full_matrices=False)
    count = min(MOST_COMPONENTS, int((singular > 1e-9 * max(singular[0], 1e-300)).sum()))
    return left[:, :count], (singular[:count] ** 2) / (singular**2).sum()


def _kept(error: FloatArray, basis: FloatArray) -> float:
    """Share of the error's variance that inputs within reach do not tell."""
    total = float(error.var(axis=0).sum())
    return float((_without(error, basis) ** 2).sum(axis=1).mean()) / total if total > 0 else 0.0


def _highest_when_shifted(
    far: FloatArray, error: FloatArray, basis: FloatArray, rng: np.random.Generator
) -> FloatArray:
    """The largest squared correlation of each shift of ``error`` in time against ``far``, ``(shifts,)``.

    A shifted error is freed of ``basis`` as the true one was: it would be longer outside of ``far``'s space.
    """
    samples = len(error)
    # Short shifts would leave most of the dependency in place.
    least = max(1, samples // 20)
    shifts = rng.choice(
        np.arange(least, samples - least + 1), min(SHIFTS, samples - 2 * least), replace=False
    )
    narrow = far.astype(np.float32)
    highest = []
    for first in range(0, len(shifts), CHUNK):
        moved = np.concatenate([np.roll(error, s, axis=0) for s in shifts[first : first + CHUNK]], axis=1)
        freed = _without(moved, basis)
        freed /= np.linalg.norm(freed, axis=0)
        squares = (narrow.T @ freed.astype(np.float32)) ** 2
        highest.append(squares.max(axis=0).reshape(-1, error.shape[1]).max(axis=1))
    result: FloatArray = np.concatenate(highest).astype(np.float64)
    return result
