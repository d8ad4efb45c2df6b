"""How well a controller predicts recordings, against the simplest guess."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ltc_edge.arrays import FloatArray, IntArray
from ltc_edge.controller import Controller
from ltc_edge.errors import InputError
from ltc_edge.evaluation.rollout import Policy
from ltc_edge.logs import METRICS, Dataset, Segment, Windows, windows
from ltc_edge.runtimes.reference import ReferenceBatch


@dataclass(frozen=True, eq=False)
class RecordingsReport:
    """The score on the test split.

    Attributes:
        metric: its name.
        value: of the controller.
        baseline: of a guess that ignores the inputs: the mean training target, or the commonest class.
        samples: rows scored.
        time_s: of the first test window, from zero, ``(L,)``.
        predicted, target: of the first test window, ``(L, M)``; for classes scores, and indexes ``(L,)``.
    """

    metric: str
    value: float
    baseline: float
    samples: int
    time_s: FloatArray
    predicted: FloatArray
    target: FloatArray


def evaluate_recordings(
    data: Dataset,
    controller: Controller,
    *,
    policy: Policy | None = None,
    on_share: Callable[[float], None] = lambda _: None,
) -> RecordingsReport:
    """Score ``controller`` on the test windows of ``data``, each from the reset state.

    ``policy`` is what executes the controller; None for the float64 reference.

    Raises:
        InputError: the controller does not fit the columns.
    """
    names = tuple(signal.name for signal in controller.observations)
    if names != data.input_names:
        raise InputError(
            f"the controller reads {', '.join(names)}, the recordings hold {', '.join(data.input_names)}"
        )
    cut = windows(data.test.segments, data.window_length, data.evaluation_stride)
    policy = policy or ReferenceBatch(controller)
    policy.reset(len(cut))
    steps = []
    for step in range(data.window_length):
        steps.append(policy.step(cut.inputs[:, step], cut.dt_s[:, step]))
        on_share((step + 1) / data.window_length)
    predicted = np.stack(steps, axis=1)
    metric = METRICS[data.metric]
    classes = data.kind == "classification"
    counted, answers = cut.scored, predicted.argmax(axis=-1) if classes else predicted
    value = metric.compute(answers[counted], cut.targets[counted])
    return RecordingsReport(
        data.metric,
        float(value),
        float(metric.compute(_guess(data, cut)[counted], cut.targets[counted])),
        int(counted.sum()),
        np.cumsum(cut.dt_s[0]) - cut.dt_s[0, 0],
        predicted[0],
        np.asarray(cut.targets[0], dtype=np.float64),
    )


def _guess(data: Dataset, cut: Windows) -> FloatArray:
    if data.kind == "classification":
        labels = np.concatenate([_counted_labels(segment) for segment in data.train.segments])
        return np.full(cut.targets.shape, np.bincount(labels).argmax(), dtype=np.float64)
    assert data.target_normalizer is not None
    return np.broadcast_to(data.target_normalizer.mean, cut.targets.shape)


def _counted_labels(segment: Segment) -> IntArray:
    labels = segment.targets.astype(np.int64)
    return labels if segment.scored is None else labels[segment.scored]
