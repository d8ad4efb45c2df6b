"""What every format is put through, and what the float64 reference does there."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from ltc_edge.arrays import FloatArray
from ltc_edge.controller import Controller
from ltc_edge.export.calibration import excitation, usual_values
from ltc_edge.export.program import Affine
from ltc_edge.runtimes.reference import ReferenceBatch

FREE_STEPS = 10_000
FREE_RUN_SEED = 20_060  # of the verification alone: calibration draws from others
RANDOM_CASES = 48
LEAST_SIGMA = 0.01


@dataclass(frozen=True, eq=False)
class Cases:
    """Single steps: raw observations ``(K, I)``, dt in seconds ``(K,)``, states ``(K, S)``."""

    observation: FloatArray
    dt_s: FloatArray
    state: FloatArray


@dataclass(frozen=True, eq=False)
class FreeRun:
    """A run from the reset state in which only the state feeds back.

    Attributes:
        observation, dt_s: inputs, ``(T, I)`` and ``(T,)``.
        action: the reference's, ``(T, M)``.
        state: the reference's after each step, ``(T, S)``.
        sigma: standard deviation of each action, ``(M,)``; at least `LEAST_SIGMA` of its range, since an
            action that stays at its limit has none to measure an error against.
    """

    observation: FloatArray
    dt_s: FloatArray
    action: FloatArray
    state: FloatArray
    sigma: FloatArray


def free_run(controller: Controller, about: Affine | None = None, *, steps: int = FREE_STEPS) -> FreeRun:
    """The reference over sensor values that move like real ones, at irregular times.

    ``about`` is the usual value and deviation of each sensor value; None for those of the normaliser.
    """
    observation_in, dt_in = free_inputs(controller, about, steps=steps)
    reference = ReferenceBatch(controller)
    reference.reset(1)
    actions, states = [], []
    for observation, dt in zip(observation_in, dt_in, strict=True):
        actions.append(reference.step(observation[None], np.array([dt]))[0])
        states.append(reference.state[0])
    action = np.stack(actions)
    return FreeRun(observation_in, dt_in, action, np.stack(states), free_sigma(controller, action))


def free_inputs(
    controller: Controller, about: Affine | None = None, *, steps: int = FREE_STEPS
) -> tuple[FloatArray, FloatArray]:
    """Observations ``(T, I)`` and times ``(T,)`` of a free run."""
    inputs = excitation(controller, sequences=1, steps=steps, seed=FREE_RUN_SEED, about=about)
    return inputs.observation[0], inputs.dt_s[0]


def free_sigma(controller: Controller, action: FloatArray) -> FloatArray:
    """What errors of each action are measured in, ``(M,)``: see `FreeRun`."""
    sigma: FloatArray = np.maximum(action.std(axis=0), LEAST_SIGMA * _extent(controller, action))
    return sigma


def _extent(controller: Controller, action: FloatArray) -> FloatArray:
    """How far each action can go, ``(M,)``: between its limits, or where one is missing as far as it went."""
    low, high = controller.limits
    between: FloatArray = high - low
    return np.where(np.isfinite(between), between, np.abs(action).max(axis=0))


def cases(controller: Controller, run: FreeRun, about: Affine | None = None) -> Cases:
    """Corners and random points: sensor values at zero, at the usual value and far from it; dt at both
    ends; states of the reset and of the free run. ``about`` is as in `free_run`."""
    rng = np.random.default_rng(FREE_RUN_SEED)
    timing, about = controller.timing, about or usual_values(controller)
    # A clip may be far beyond what sensors give; four deviations are an extreme but possible value.
    reach = min(controller.input_limit, 4.0)
    channels = len(controller.observations)
    corners = np.array([np.zeros(channels), np.full(channels, reach), np.full(channels, -reach)])
    zero = np.clip(about.to_fraction(np.zeros(channels)), -reach, reach)
    observations = [about.to_raw(corner) for corner in (*corners, zero)]
    times = (timing.dt_min_s, timing.period_s, timing.dt_max_s)
    states = (controller.reset_state, run.state[len(run.state) // 2])
    rows = list(itertools.product(observations, times, states))
    for _ in range(RANDOM_CASES):
        z = rng.uniform(-reach, reach, size=channels)
        dt = float(np.exp(rng.uniform(np.log(timing.dt_min_s), np.log(timing.dt_max_s))))
        dt = float(np.clip(dt, timing.dt_min_s, timing.dt_max_s))
        rows.append((about.to_raw(z), dt, run.state[rng.integers(len(run.state))]))
    observation, dt_s, state = zip(*rows, strict=True)
    return Cases(np.stack(observation), np.array(dt_s), np.stack(state))
