"""Folds of recordings: what one trains on, and what it is judged on.

Neighbouring rows are nearly the same, so that folds of rows would test on what was trained on. Folds are
recordings, or stretches of a recording with a gap before what is trained on.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ltc_edge.errors import RecordingError
from ltc_edge.logs.dataset import Segment


@dataclass(frozen=True, eq=False)
class Fold:
    """Segments to train on, and segments held out."""

    train: tuple[Segment, ...]
    held_out: tuple[Segment, ...]


@dataclass(frozen=True, eq=False)
class Folds:
    """All folds, and whether each holds out whole recordings."""

    folds: tuple[Fold, ...]
    by_recording: bool


def make_folds(segments: Sequence[Segment], count: int, window: int, apart: int) -> Folds:
    """``count`` folds, each a different part held out.

    Where there are as many recordings, each is held out once, whole. Otherwise each segment is cut into
    ``count`` stretches, and ``apart`` rows beside what is held out are not trained on.

    Args:
        segments: all rows.
        count: folds.
        window: rows of a window; shorter pieces are of no use.
        apart: rows after which a row is forgotten.

    Raises:
        RecordingError: a fold would have nothing to train on, or nothing to be judged on.
    """
    sources = dict.fromkeys(segment.source for segment in segments)
    by_recording = len(sources) >= count
    folds = tuple(
        _without_recordings(segments, names, window)
        if by_recording
        else _without_stretch(segments, (index, count), window, apart)
        for index, names in enumerate(_shared_out(segments, count))
    )
    for fold in folds:
        if not fold.train or not fold.held_out:
            raise RecordingError(
                f"{sum(segment.rows for segment in segments)} rows are too few for {count} folds of windows "
                f"of {window} rows: record more, or shorten the window"
            )
    return Folds(folds, by_recording)


def _shared_out(segments: Sequence[Segment], count: int) -> list[set[str]]:
    """Names of the recordings of each of ``count`` folds, about as many rows in each."""
    rows: dict[str, int] = {}
    for segment in segments:
        rows[segment.source] = rows.get(segment.source, 0) + segment.rows
    shares: list[set[str]] = [set() for _ in range(count)]
    total = np.zeros(count)
    for name in sorted(rows, key=lambda name: -rows[name]):  # the longest first; of equal ones the earlier
        lightest = int(np.argmin(total))
        shares[lightest].add(name)
        total[lightest] += rows[name]
    return shares


def _without_recordings(segments: Sequence[Segment], names: set[str], window: int) -> Fold:
    useful = [segment for segment in segments if segment.rows >= window]
    return Fold(
        tuple(segment for segment in useful if segment.source not in names),
        tuple(segment for segment in useful if segment.source in names),
    )


def _without_stretch(segments: Sequence[Segment], which: tuple[int, int], window: int, apart: int) -> Fold:
    train: list[Segment] = []
    held_out: list[Segment] = []
    index, count = which
    for segment in segments:
        edges = np.linspace(0, segment.rows, count + 1).round().astype(int).tolist()
        start, stop = edges[index], edges[index + 1]
        held_out += rows_of(segment, start, stop, window)
        train += rows_of(segment, 0, start - apart, window)
        train += rows_of(segment, stop + apart, segment.rows, window)
    return Fold(tuple(train), tuple(held_out))


def rows_of(segment: Segment, start: int, stop: int, least: int) -> list[Segment]:
    """Rows ``start`` to ``stop`` of a segment, or nothing where they are fewer than ``least``."""
    if stop - start < least:
        return []
    scored = None if segment.scored is None else segment.scored[start:stop]
    return [
        dataclasses.replace(
            segment,
            first_row=segment.first_row + start,
            inputs=segment.inputs[start:stop],
            targets=segment.targets[start:stop],
            dt_s=segment.dt_s[start:stop],
            scored=scored,
        )
    ]
