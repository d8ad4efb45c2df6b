"""The points whose dimension is estimated: standardised rows, evenly drawn, that know their time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ltc_edge.arrays import FloatArray, IntArray
from ltc_edge.errors import RecordingError
from ltc_edge.evaluation.sizing.autocorrelation import Memory

MOST_POINTS = 2000
"""All pairs of them are looked at; more would sharpen no estimate that the data are long enough for."""

FEWEST_POINTS = 50
"""With fewer there are no scales to compare."""

LONGEST_APART_SHARE = 0.25
"""Of the longest segment: neighbours are so far apart at most, else one recording would have none."""


@dataclass(frozen=True, eq=False)
class Points:
    """``N`` points.

    Attributes:
        values: ``(N, D)``: columns that move, each with mean 0 and standard deviation 1.
        segment: which segment each is of, ``(N,)``.
        row: of its segment, ``(N,)``.
        apart: rows of one segment that are nearer than this in time are no neighbours.
        rows: that there were.
        repeated: share of the points that repeated another, and were left out.
    """

    values: FloatArray
    segment: IntArray
    row: IntArray
    apart: int
    rows: int
    repeated: float

    def __len__(self) -> int:
        return len(self.values)


def draw_points(
    segments: Sequence[FloatArray], memory: Memory, *, most: int = MOST_POINTS, history: int = 1
) -> Points:
    """Points from the rows of ``segments``, arrays ``(T_k, C)``; each holds the last ``history`` rows.

    Every column counts alike: it is standardised, and left out where it never changes. Rows are taken at even
    distances, at most ``most`` of them. A point that repeats another is left out: between copies there is no
    distance to measure. Neighbours must be further apart in time than the data remember (Theiler 1986),
    else what is measured is the one dimension of a trajectory.

    Raises:
        RecordingError: nothing moves, or too few different rows.
    """
    long_enough = [index for index, segment in enumerate(segments) if len(segment) >= history]
    rows = sum(len(segments[index]) - history + 1 for index in long_enough)
    if not rows:
        raise RecordingError(f"no run has the {history} rows of a window: shorten it with --window")
    everything = np.concatenate(segments)
    moves = np.ptp(everything, axis=0) > 0
    if not moves.any():
        raise RecordingError("no column of the inputs ever changes: there is no dimension to measure")
    mean, scale = everything[:, moves].mean(axis=0), everything[:, moves].std(axis=0)
    segment, row = _evenly([(index, len(segments[index])) for index in long_enough], rows, most, history)
    drawn = np.stack([segments[s][r - history + 1 : r + 1, moves] for s, r in zip(segment, row, strict=True)])
    values = ((drawn - mean) / scale).reshape(len(drawn), -1)
    _, first = np.unique(values, axis=0, return_index=True)
    first.sort()
    if len(first) < FEWEST_POINTS:
        raise RecordingError(
            f"{len(first)} different rows are too few to estimate a dimension from: "
            f"{FEWEST_POINTS} are needed"
        )
    longest = max(len(each) for each in segments)
    apart = min(memory.longest, LONGEST_APART_SHARE * longest) + history - 1
    repeated = 1.0 - len(first) / len(values)
    return Points(values[first], segment[first], row[first], int(np.ceil(apart)), rows, repeated)


def _evenly(
    lengths: Sequence[tuple[int, int]], rows: int, most: int, history: int
) -> tuple[IntArray, IntArray]:
    """Segment and row of at most ``most`` rows at even distances, over all segments one after the other."""
    index = np.concatenate([np.full(length - history + 1, number) for number, length in lengths])
    within = np.concatenate([np.arange(history - 1, length) for _, length in lengths])
    chosen = np.unique(np.linspace(0, rows - 1, min(most, rows)).round().astype(np.int64))
    return index[chosen], within[chosen]
