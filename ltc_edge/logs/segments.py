"""Rows that belong together: a recording's blocks cut at gaps in time and turned into segments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ltc_edge.arrays import FloatArray, IntArray
from ltc_edge.logs.dataset import Kind, Segment
from ltc_edge.logs.labels import class_indexes
from ltc_edge.logs.recording import Recording
from ltc_edge.logs.splits import Block

GAP_PERIODS = 10.0
"""Two rows further apart than this many median periods are not one run."""


@dataclass(frozen=True)
class Signals:
    """Which columns of the recordings are inputs and which are targets, and what the targets are."""

    inputs: tuple[str, ...]
    targets: tuple[str, ...]
    kind: Kind


def median_period(recording: Recording, period_s: float) -> float:
    """Median seconds between rows; ``period_s`` where the recording carries no time."""
    return period_s if recording.time_s is None else float(np.median(np.diff(recording.time_s)))


def gap_rows(recording: Recording) -> tuple[int, ...]:
    """Rows that a long gap in time precedes, or that the recording says begin a run."""
    if recording.time_s is None:
        return recording.begins
    dt_s = np.diff(recording.time_s)
    late = np.flatnonzero(dt_s > GAP_PERIODS * np.median(dt_s))
    return tuple(sorted({int(row) + 1 for row in late} | set(recording.begins)))


def gap_note(recording: Recording) -> str | None:
    """One line on the gaps of a recording, or None where it has none."""
    rows = gap_rows(recording)
    if not rows:
        return None
    listed = ", ".join(str(row + 1) for row in rows[:5]) + (", …" if len(rows) > 5 else "")
    plural = "gap" if len(rows) == 1 else "gaps"
    kind = (
        f"in time of more than {GAP_PERIODS:g} median periods"
        if not recording.begins
        else "between its steps"
    )
    return f"{recording.source}: {len(rows)} {plural} {kind} split it (before row {listed})."


def build_segments(
    block: Block, signals: Signals, period_s: float, classes: Sequence[int] = ()
) -> list[Segment]:
    """Cut a block at its gaps in time and take inputs and targets from each run.

    A prediction's last row has no target within the run and is dropped: its target would belong to the next
    run or to another split. Runs left without a row vanish.

    Args:
        block: rows of one recording.
        signals: which columns.
        period_s: seconds between rows where the recording carries no time.
        classes: labels in ascending order, for classification.

    Raises:
        RecordingError: a label that is not among ``classes``.
    """
    cuts = [row for row in gap_rows(block.recording) if block.start < row < block.stop]
    edges = [block.start, *cuts, block.stop]
    dt_s = _seconds_between_rows(block.recording, period_s)
    inputs = column_values(block.recording, signals.inputs)
    targets = column_values(block.recording, signals.targets)
    lead = 1 if signals.kind == "prediction" else 0
    segments: list[Segment] = []
    for start, stop in pairwise(edges):
        end = stop - lead
        if end <= start:
            continue
        run_dt_s = dt_s[start:end].copy()
        run_dt_s[0] = dt_s[0]
        measured = targets[start + lead : end + lead]
        run_targets: FloatArray | IntArray = measured
        if signals.kind == "classification":
            run_targets = class_indexes(
                measured[:, 0], classes, signals.targets[0], block.recording.source, start
            )
        segments.append(Segment(block.recording.source, start, inputs[start:end], run_targets, run_dt_s))
    return segments


def column_values(recording: Recording, names: Sequence[str]) -> FloatArray:
    """The named columns of a recording, shape ``[T, len(names)]``."""
    return recording.values[:, [recording.names.index(name) for name in names]]


def _seconds_between_rows(recording: Recording, period_s: float) -> FloatArray:
    """Seconds since the previous row, shape ``[T]``; the first row gets the median."""
    median_s = median_period(recording, period_s)
    if recording.time_s is None:
        return np.full(recording.rows, median_s)
    return np.concatenate([[median_s], np.diff(recording.time_s)])
