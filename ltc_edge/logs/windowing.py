"""Windows: pieces of one length cut from segments, so that they stack into arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ltc_edge.arrays import BoolArray, FloatArray, IntArray
from ltc_edge.errors import RecordingError
from ltc_edge.logs.dataset import Segment


@dataclass(frozen=True)
class Windows:
    """W windows of L rows.

    Attributes:
        inputs: array of shape ``[W, L, I]``.
        targets: array of shape ``[W, L, M]``; for classification ``[W, L]``, int64.
        dt_s: array of shape ``[W, L]``.
        scored: array of shape ``[W, L]``: rows whose target counts.
    """

    inputs: FloatArray
    targets: FloatArray | IntArray
    dt_s: FloatArray
    scored: BoolArray

    def __len__(self) -> int:
        return int(self.inputs.shape[0])


def windows(segments: Sequence[Segment], length: int, stride: int) -> Windows:
    """Cut segments into windows; a window never crosses the end of a segment, so neither a file nor a gap.

    Segments shorter than ``length`` give none; rows past the last whole window are left over, and so are
    windows in which no row counts.

    Args:
        segments: where to cut.
        length: rows of a window.
        stride: rows between the starts of neighbouring windows; less than ``length`` overlaps them.

    Raises:
        RecordingError: length or stride below 1, or no segment as long as a window.
    """
    if length < 1 or stride < 1:
        raise RecordingError(f"window length {length} and stride {stride} must be at least 1.")
    long_enough = [segment for segment in segments if segment.rows >= length]
    if not long_enough:
        longest = max((segment.rows for segment in segments), default=0)
        raise RecordingError(
            f"no window of {length} rows fits: the longest run is {longest} rows. Shorten the window."
        )
    scored = np.concatenate([_cut(_scored(segment), length, stride) for segment in long_enough])
    kept = slice(None) if scored.any(axis=1).all() else scored.any(axis=1)
    return Windows(
        inputs=np.concatenate([_cut(segment.inputs, length, stride) for segment in long_enough])[kept],
        targets=np.concatenate([_cut(segment.targets, length, stride) for segment in long_enough])[kept],
        dt_s=np.concatenate([_cut(segment.dt_s, length, stride) for segment in long_enough])[kept],
        scored=scored[kept],
    )


def _scored(segment: Segment) -> BoolArray:
    return np.ones(segment.rows, dtype=np.bool_) if segment.scored is None else segment.scored


def _cut(rows: npt.NDArray[np.generic], length: int, stride: int) -> npt.NDArray[np.generic]:
    """``[T, …]`` to ``[W, length, …]``; a view until it is concatenated."""
    view = np.lib.stride_tricks.sliding_window_view(rows, length, axis=0)[::stride]
    return np.moveaxis(view, -1, 1)
