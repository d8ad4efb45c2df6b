"""Distances to the nearest neighbours, leaving out those that are near only because they are near in time."""

from __future__ import annotations

import numpy as np

from ltc_edge.arrays import FloatArray
from ltc_edge.errors import RecordingError, require
from ltc_edge.evaluation.sizing.points import Points

BLOCK = 500
"""Points whose distances to all others are held at once: 8 MB for 2000."""


def log_distances(points: Points, neighbours: int) -> FloatArray:
    """Logarithms of the distances to the ``neighbours`` nearest, ascending, ``(N, neighbours)``.

    The distances are exact: with as many dimensions as sensors a search tree saves nothing, and the scalar
    product cancels where neighbours are close.

    Raises:
        RecordingError: a point has fewer neighbours that are far enough away in time.
        MissingExtraError: SciPy is not installed.
    """
    cdist = require("scipy.spatial.distance", "train").cdist
    nearest = []
    for start in range(0, len(points), BLOCK):
        block = slice(start, start + BLOCK)
        distance = cdist(points.values[block], points.values)
        beside = points.segment[block, None] == points.segment[None, :]
        beside &= np.abs(points.row[block, None] - points.row[None, :]) < max(points.apart, 1)
        distance[beside] = np.inf
        part = np.partition(distance, neighbours - 1, axis=1)[:, :neighbours]
        nearest.append(np.sort(part, axis=1))
    found = np.concatenate(nearest)
    if not np.isfinite(found).all():
        raise RecordingError(
            f"rows remember {points.apart} rows: too few others are far enough away in time to be "
            "neighbours. Give longer or more recordings."
        )
    result: FloatArray = np.log(found)
    return result


def candidates(points: Points) -> float:
    """How many others may be a point's neighbour, on average."""
    total = 0
    for segment in np.unique(points.segment):
        row = np.sort(points.row[points.segment == segment])
        low = np.searchsorted(row, row - max(points.apart, 1), side="right")
        total += int((np.searchsorted(row, row + max(points.apart, 1), side="left") - low).sum())
    return len(points) - total / len(points)
