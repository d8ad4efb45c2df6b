"""Data sets to sweep on that are no recordings: an expert's demonstrations, and white noise."""

from __future__ import annotations

import numpy as np

from ltc_edge.arrays import FloatArray
from ltc_edge.evaluation.rollout import open_plants, rollout
from ltc_edge.logs import Dataset, Segment, Split
from ltc_edge.logs.normalizer import fit_normalizer
from ltc_edge.tasks.protocol import Task

WHITE_NOISE = "white-noise"
"""Name of the data set of which everything is known."""

DEMONSTRATION_SEED = 520_000  # apart from those of evaluation, scaling and training
DEMONSTRATIONS = 48
DEMONSTRATION_STEPS = 200
ACTION_NOISE = 0.3
"""Of half an actuator's range: without it demonstrations of a regulator are all alike."""

_CHANNELS = 4
_TEACHER_SEED = 7


def demonstrations(task: Task) -> Dataset:
    """What the expert of ``task`` would do where noise on its actions leads it: observation → action.

    The last third of the episodes are for testing.

    Raises:
        TaskError: the plant or the expert misbehaves.
    """
    low = np.array([signal.low for signal in task.actions])
    high = np.array([signal.high for signal in task.actions])
    reach = ACTION_NOISE * np.where(np.isfinite(high - low), 0.5 * (high - low), 1.0)
    rng = np.random.default_rng(DEMONSTRATION_SEED)

    def shake(_: FloatArray, expert: FloatArray) -> FloatArray:
        return np.clip(expert + reach * rng.standard_normal(expert.shape), low, high)

    seeds = range(DEMONSTRATION_SEED, DEMONSTRATION_SEED + DEMONSTRATIONS)
    with open_plants(task) as plants:
        steps = min(task.max_steps, DEMONSTRATION_STEPS)
        played = rollout(task, plants, None, seeds, intervene=shake, max_steps=steps)
    segments = [
        Segment(
            f"{task.name}, seed {seed}",
            0,
            played.observation[episode, :length],
            played.expert_action[episode, :length],
            played.dt_s[episode, :length],
        )
        for episode, (seed, length) in enumerate(zip(seeds, played.length.tolist(), strict=True))
    ]
    observed = tuple(signal.name for signal in task.observations)
    return _dataset(segments, observed, tuple(signal.name for signal in task.actions), task.period_s)


def white_noise(window: int) -> Dataset:
    """Four channels of white noise, and a target that is a tanh of a random mean of the last ``window`` rows.

    The rows of two windows are independent, so all that the theory of double descent asks for holds.
    """
    rng = np.random.default_rng(_TEACHER_SEED)
    teacher = rng.standard_normal((window, _CHANNELS)) / np.sqrt(window * _CHANNELS)
    segments = []
    for number in range(600):
        inputs = rng.standard_normal((window, _CHANNELS))
        sums = [np.sum(teacher[-row:] * inputs[:row]) for row in range(1, window + 1)]
        targets = np.tanh(2.0 * np.array(sums))[:, None]
        segments.append(Segment(f"noise {number}", 0, inputs, targets, np.ones(window)))
    names = tuple(f"noise_{channel}" for channel in range(_CHANNELS))
    return _dataset(segments, names, ("teacher",), 1.0)


def _dataset(
    segments: list[Segment], inputs: tuple[str, ...], targets: tuple[str, ...], period_s: float
) -> Dataset:
    """Regression, the last third of ``segments`` for testing."""
    cut = -(-2 * len(segments) // 3)
    train = segments[:cut]
    return Dataset(
        kind="regression",
        input_names=inputs,
        target_names=targets,
        classes=(),
        train=Split(tuple(train)),
        validation=Split(()),
        test=Split(tuple(segments[cut:])),
        input_normalizer=fit_normalizer([segment.inputs for segment in train], inputs),
        target_normalizer=fit_normalizer([np.asarray(s.targets, np.float64) for s in train], targets),
        period_s=period_s,
        window_length=1,
        stride=1,
        evaluation_stride=1,
        metric="mse",
        notes=(),
    )
