"""Figures of a controller on recordings: its score on the test rows, and under corrupted sensors.

Recordings close no loop, so that of the pack only what sensors do to readings applies. A height is the skill:
0 for a guess that ignores the inputs, 1 for no error at all.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from ltc_edge.arrays import FloatArray
from ltc_edge.controller import Controller
from ltc_edge.evaluation.corruption.draws import generators
from ltc_edge.evaluation.corruption.pack import PACK, SEVERITIES
from ltc_edge.evaluation.corruption.sensors import SENSORS
from ltc_edge.evaluation.recordings import evaluate_recordings
from ltc_edge.logs import METRICS, Dataset, windows
from ltc_edge.runtimes.reference import ReferenceBatch

Figures = dict[str, Any]

MOST_WINDOWS, MOST_READINGS = 200, 25_600
"""Of the test windows, evenly spread, so many are corrupted, fewer where these would hold more readings."""


def metric(data: Dataset, controller: Controller) -> Figures:
    """The task's own metric on all test windows, and as a skill."""
    report = evaluate_recordings(data, controller)
    return {
        "metric": report.metric,
        "value": report.value,
        "baseline": report.baseline,
        "height": skill(data, report.value, report.baseline),
    }


def corruption(data: Dataset, controller: Controller, baseline: float) -> Figures:
    """Areas under the severity curves of the pack's sensors, over windows that start from the reset state.

    ``baseline`` is that of `metric`.
    """
    cut = windows(data.test.segments, data.window_length, data.evaluation_stride)
    most = min(MOST_WINDOWS, MOST_READINGS // cut.inputs[0].size)
    chosen = np.unique(np.linspace(0, len(cut) - 1, most).astype(np.int64))
    inputs, dt_s, targets = cut.inputs[chosen], cut.dt_s[chosen], cut.targets[chosen]

    def height(corrupted: FloatArray) -> float:
        batch = ReferenceBatch(controller)
        batch.reset(len(corrupted))
        steps = [batch.step(corrupted[:, t], dt_s[:, t]) for t in range(corrupted.shape[1])]
        predicted = np.stack(steps, axis=1)
        if data.kind == "classification":
            predicted = predicted.argmax(axis=-1)
        return skill(data, float(METRICS[data.metric].compute(predicted, targets)), baseline)

    nominal = height(inputs)
    areas = {}
    for kind in SENSORS:
        heights = [nominal, *(height(sensed(data, inputs, kind, severity)) for severity in SEVERITIES)]
        areas[kind] = float(np.mean([0.5 * (a + b) for a, b in itertools.pairwise(heights)]))
    return {
        "pack_sha256": PACK.sha256,
        "areas": areas,
        "area_mean": float(np.mean(list(areas.values()))),
        "nominal": nominal,
    }


def sensed(data: Dataset, inputs: FloatArray, kind: str, severity: int) -> FloatArray:
    """Windows ``(W, L, I)`` through a corrupted sensor; σ is the spread of the training rows."""
    sensor = SENSORS[kind](PACK[kind].level(severity), data.input_normalizer.scale)
    drawn = np.stack([sensor.draw(rng, inputs.shape[1]) for rng in generators(kind, range(len(inputs)))])
    return np.stack([sensor.read(step, inputs[:, step], drawn) for step in range(inputs.shape[1])], axis=1)


def skill(data: Dataset, value: float, baseline: float) -> float:
    """The share of the way from the guess to no error, within 0 to 1."""
    best = 0.0 if METRICS[data.metric].lower_is_better else 1.0
    return float(np.clip((value - baseline) / (best - baseline), 0.0, 1.0))
