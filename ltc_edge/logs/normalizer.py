"""Mean and scale of columns, fitted on the training split alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ltc_edge.arrays import FloatArray
from ltc_edge.errors import RecordingError


@dataclass(frozen=True)
class Normalizer:
    """``normal = (raw - mean) / scale``, column by column.

    Attributes:
        mean: array of shape ``[C]``, in units of the columns.
        scale: array of shape ``[C]``: standard deviation, or 1.0 where a column never changes.
    """

    mean: FloatArray
    scale: FloatArray

    def apply(self, values: FloatArray) -> FloatArray:
        """Raw values of shape ``[..., C]`` to normalised ones."""
        return (values - self.mean) / self.scale

    def invert(self, values: FloatArray) -> FloatArray:
        """Normalised values of shape ``[..., C]`` to raw ones."""
        return values * self.scale + self.mean


def fit_normalizer(parts: Sequence[FloatArray], names: Sequence[str]) -> Normalizer:
    """Fit mean and standard deviation over the rows of all parts.

    Args:
        parts: arrays of shape ``[T_k, C]``.
        names: C column names, for messages.

    Raises:
        RecordingError: a column's values are too large to be squared.
    """
    values = np.concatenate(parts)
    with np.errstate(all="ignore"):
        mean = values.mean(axis=0)
        # Rounding gives a constant column a tiny standard deviation, so constancy is tested by its range.
        scale = np.where(np.ptp(values, axis=0) > 0, values.std(axis=0), 1.0)
    scale = np.where(scale > 0, scale, 1.0)
    bad = np.flatnonzero(~(np.isfinite(mean) & np.isfinite(scale)))
    if len(bad):
        raise RecordingError(f"column {names[bad[0]]!r} holds values too large to normalise. Rescale it.")
    return Normalizer(mean, scale)
