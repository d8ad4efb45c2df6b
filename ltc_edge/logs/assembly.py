"""From split blocks to a data set: segments, classes, normalisers, and the checks over all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ltc_edge.errors import RecordingError
from ltc_edge.logs.dataset import SPLIT_NAMES, Dataset, Kind, Split, SplitName
from ltc_edge.logs.labels import check_labels, find_classes
from ltc_edge.logs.normalizer import fit_normalizer
from ltc_edge.logs.recording import Recording
from ltc_edge.logs.segments import Signals, build_segments, column_values, gap_note, median_period
from ltc_edge.logs.splits import Block, Blocks

DEFAULT_METRICS: Mapping[Kind, str] = {"prediction": "mse", "regression": "mse", "classification": "accuracy"}
"""The metric of each kind of target, where a task names no other."""

DEFAULT_PERIOD_S = 1.0
"""Seconds between rows of recordings that carry no time, where no period is given; a note says so."""

PLAUSIBLE_PERIOD_S = (1e-6, 86400.0)
"""Shortest and longest median period that passes without a note: nanoseconds read as seconds do not."""


@dataclass(frozen=True)
class Cut:
    """How splits become windows: rows of a window, rows between their starts in training and in scoring."""

    window_length: int
    stride: int
    evaluation_stride: int


def assemble(
    blocks: Blocks, signals: Signals, cut: Cut, period_s: float | None, metric: str | None = None
) -> Dataset:
    """Build the data set of blocks that are split already.

    Args:
        blocks: rows of each split.
        signals: which columns are what.
        cut: the windows.
        period_s: seconds between rows of recordings that carry no time; None takes ``DEFAULT_PERIOD_S``.
        metric: name in ``METRICS``; None takes the kind's own.

    Raises:
        RecordingError: a label that cannot be used, or a split in which no window fits.
    """
    notes = _notes(blocks, period_s)
    row_period_s = DEFAULT_PERIOD_S if period_s is None else period_s
    classes = _classes(blocks, signals)
    splits: dict[SplitName, Split] = {}
    for name in SPLIT_NAMES:
        segments = [
            segment
            for block in blocks[name]
            for segment in build_segments(block, signals, row_period_s, classes)
        ]
        splits[name] = Split(tuple(segments))
        notes += _check_windows(name, splits[name], cut)
    train = splits["train"].segments
    return Dataset(
        kind=signals.kind,
        input_names=signals.inputs,
        target_names=signals.targets,
        classes=classes,
        train=splits["train"],
        validation=splits["validation"],
        test=splits["test"],
        input_normalizer=fit_normalizer([segment.inputs for segment in train], signals.inputs),
        target_normalizer=(
            None
            if signals.kind == "classification"
            else fit_normalizer(
                [np.asarray(segment.targets, dtype=np.float64) for segment in train], signals.targets
            )
        ),
        period_s=float(np.median(np.concatenate([segment.dt_s for segment in train]))),
        window_length=cut.window_length,
        stride=cut.stride,
        evaluation_stride=cut.evaluation_stride,
        metric=metric or DEFAULT_METRICS[signals.kind],
        notes=tuple(notes),
    )


def _notes(blocks: Blocks, period_s: float | None) -> list[str]:
    """What the user should know about the recordings themselves."""
    recordings = {
        block.recording.source: block.recording for name in SPLIT_NAMES for block in blocks[name]
    }.values()
    notes = [note for recording in recordings if (note := gap_note(recording)) is not None]
    notes += [note for recording in recordings if (note := _period_note(recording)) is not None]
    timed = sum(recording.time_s is not None for recording in recordings)
    if not timed and period_s is None:
        notes.append(
            f"The recordings carry no time: rows are taken to be {DEFAULT_PERIOD_S:g} s apart. "
            f"Name the time column or give the period if that is wrong."
        )
    if timed and timed < len(recordings):
        untimed = next(recording.source for recording in recordings if recording.time_s is None)
        raise RecordingError(f"{untimed}: carries no time though other recordings do. Name its time column.")
    return notes


def _period_note(recording: Recording) -> str | None:
    """One line where the median period suggests that the time column is in other units than seconds."""
    if recording.time_s is None:
        return None
    shortest_s, longest_s = PLAUSIBLE_PERIOD_S
    period_s = median_period(recording, DEFAULT_PERIOD_S)
    if shortest_s <= period_s <= longest_s:
        return None
    return f"{recording.source}: rows are {period_s:g} s apart. Is its time column in seconds?"


def _classes(blocks: Blocks, signals: Signals) -> tuple[int, ...]:
    """Labels of the training split, after all splits were checked to hold whole numbers."""
    if signals.kind != "classification":
        return ()
    (name,) = signals.targets
    columns: list[Block] = [block for split in SPLIT_NAMES for block in blocks[split]]
    for block in columns:
        check_labels(column_values(block.recording, [name])[:, 0], name, block.recording.source)
    return find_classes(
        [column_values(block.recording, [name])[block.start : block.stop, 0] for block in blocks["train"]],
        name,
    )


def _check_windows(name: SplitName, split: Split, cut: Cut) -> list[str]:
    """Raise unless a window fits the split; return a note on runs that are too short for one."""
    short: Sequence[int] = [segment.rows for segment in split.segments if segment.rows < cut.window_length]
    if len(short) == len(split.segments):
        longest = max(short, default=0)
        raise RecordingError(
            f"no window of {cut.window_length} rows fits the {name} split, whose longest run is {longest} "
            f"rows. Shorten the window, or give the split more data."
        )
    if not short:
        return []
    return [
        f"{name}: {len(short)} runs ({sum(short)} rows) are shorter than a window of {cut.window_length}."
    ]
