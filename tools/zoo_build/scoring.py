"""How well a controller does what it is for, with a 95 % interval: episodes of a task, or test recordings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import stats

from ltc_edge.controller import Controller
from ltc_edge.evaluation.closed_loop import evaluate_closed_loop
from ltc_edge.evaluation.recordings import evaluate_recordings
from ltc_edge.evaluation.rollout import Policy
from ltc_edge.logs import METRICS, Dataset, windows
from ltc_edge.runtimes.reference import ReferenceBatch
from ltc_edge.tasks.protocol import Task

EPISODES = 100
"""Played from seed 0 on, which no training and no validation uses."""

RESAMPLES = 2_000

Score = dict[str, Any]
"""``value`` and ``ci95``, and what they are of."""


def score(subject: Task | Dataset, controller: Controller, policy: Policy | None = None) -> Score:
    """The figure of merit under ``policy``, the float64 reference where it is None."""
    if isinstance(subject, Dataset):
        policy = policy or ReferenceBatch(controller)
        return _of_recordings(subject, policy) | _guess(subject, controller)
    report = evaluate_closed_loop(subject, controller, episodes=EPISODES, policy=policy)
    own, expert, zero = report.controller, report.expert.mean, report.zero.mean
    return {
        "value": own.mean,
        "ci95": list(own.ci95),
        "worst": own.lowest,
        "episodes": EPISODES,
        "expert": expert,
        "zero": zero,
        "normalised": (own.mean - zero) / (expert - zero),
    }


def _of_recordings(data: Dataset, policy: Policy) -> Score:
    """The metric over all test windows; its interval by bootstrap over the windows."""
    cut = windows(data.test.segments, data.window_length, data.evaluation_stride)
    policy.reset(len(cut))
    steps = [policy.step(cut.inputs[:, step], cut.dt_s[:, step]) for step in range(data.window_length)]
    predicted = np.stack(steps, axis=1)
    if data.kind == "classification":
        predicted = predicted.argmax(axis=-1)
    compute = METRICS[data.metric].compute

    def value(chosen: Any) -> float:
        counted = cut.scored[chosen]
        return float(compute(predicted[chosen][counted], cut.targets[chosen][counted]))

    rng = np.random.default_rng(0)
    drawn = [value(rng.integers(0, len(cut), len(cut))) for _ in range(RESAMPLES)]
    low, high = np.percentile(drawn, [2.5, 97.5])
    return {
        "value": value(slice(None)),
        "ci95": [float(low), float(high)],
        "windows": len(cut),
        "rows": int(cut.scored.sum()),
    }


def _guess(data: Dataset, controller: Controller) -> Score:
    """The metric of a guess that ignores the inputs."""
    return {"baseline": evaluate_recordings(data, controller).baseline}


def over_seeds(values: Sequence[float]) -> dict[str, Any]:
    """Mean over training seeds, with Student's interval; one seed has none."""
    mean = float(np.mean(values))
    if len(values) < 2:
        return {"mean": mean, "std": None, "ci95": None}
    std = float(np.std(values, ddof=1))
    half = float(stats.t.ppf(0.975, len(values) - 1)) * std / len(values) ** 0.5
    return {"mean": mean, "std": std, "ci95": [mean - half, mean + half]}
