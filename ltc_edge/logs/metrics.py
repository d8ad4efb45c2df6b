"""Figures of merit over recordings: what a task is scored by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ltc_edge.errors import InputError

_Array = npt.NDArray[np.generic]


@dataclass(frozen=True)
class Metric:
    """A figure of merit.

    Attributes:
        name: key in ``METRICS``.
        lower_is_better: whether a smaller value is the better one.
        compute: ``(predicted, target) -> value``, over arrays of one shape.
    """

    name: str
    lower_is_better: bool
    compute: Callable[[_Array, _Array], float]


def mean_squared_error(predicted: _Array, target: _Array) -> float:
    """Mean of the squared error over every entry, in squared units of the target."""
    error = _pair(predicted, target)
    return float(np.mean(error * error))


def root_mean_squared_error(predicted: _Array, target: _Array) -> float:
    """Root of ``mean_squared_error``, in units of the target."""
    return float(np.sqrt(mean_squared_error(predicted, target)))


def accuracy(predicted: _Array, target: _Array) -> float:
    """Share of class indexes that agree, between 0 and 1."""
    return float(np.mean(_pair(predicted, target) == 0))


def _pair(predicted: _Array, target: _Array) -> npt.NDArray[np.float64]:
    """The difference of two arrays of one shape.

    Broadcasting [T, 1] against [T] would silently score T × T pairs, so shapes must agree.
    """
    if predicted.shape != target.shape or predicted.size == 0:
        raise InputError(
            f"cannot score predictions of shape {predicted.shape} against targets of shape {target.shape}"
        )
    return predicted.astype(np.float64) - target.astype(np.float64)


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("mse", True, mean_squared_error),
        Metric("rmse", True, root_mean_squared_error),
        Metric("accuracy", False, accuracy),
    )
}
"""Every metric by name."""
