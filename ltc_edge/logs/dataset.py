"""What training reads: segments of contiguous rows, in three splits, with what was fitted on the first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from ltc_edge.arrays import BoolArray, FloatArray, IntArray
from ltc_edge.logs.normalizer import Normalizer

Kind = Literal["prediction", "regression", "classification"]
"""What a target is: the target columns of the next row, those of this row, or a class label of this row."""

KINDS: tuple[Kind, ...] = get_args(Kind)

SplitName = Literal["train", "validation", "test"]

SPLIT_NAMES: tuple[SplitName, ...] = get_args(SplitName)


@dataclass(frozen=True)
class Segment:
    """Contiguous rows of one recording.

    Attributes:
        source: path of the recording.
        first_row: row of the recording, from 0, that row 0 of ``inputs`` is.
        inputs: array of shape ``[T, I]``, float64, raw units.
        targets: array of shape ``[T, M]``, float64, raw units; for classification ``[T]``, int64, indexes
            into ``Dataset.classes``. A prediction's targets are the values one row later.
        dt_s: array of shape ``[T]``: seconds since the previous row; the first is the recording's median.
        scored: array of shape ``[T]``: rows whose target counts, in training as in scoring; None for all.
    """

    source: str
    first_row: int
    inputs: FloatArray
    targets: FloatArray | IntArray
    dt_s: FloatArray
    scored: BoolArray | None = None

    @property
    def rows(self) -> int:
        """T, the number of rows."""
        return int(self.inputs.shape[0])


@dataclass(frozen=True)
class Split:
    """The segments of one split, in the order of files and rows."""

    segments: tuple[Segment, ...]

    @property
    def rows(self) -> int:
        """Rows over all segments."""
        return sum(segment.rows for segment in self.segments)

    @property
    def sources(self) -> tuple[str, ...]:
        """Recordings that take part, each once."""
        return tuple(dict.fromkeys(segment.source for segment in self.segments))


@dataclass(frozen=True)
class Dataset:
    """Recordings made ready for training.

    Attributes:
        kind: what the targets are.
        input_names: I names.
        target_names: M names.
        classes: labels in ascending order, found in the training split; empty but for classification.
        train, validation, test: the splits, in raw units. No row is in two of them.
        input_normalizer: fitted on the inputs of the training split alone.
        target_normalizer: fitted on the targets of the training split alone; None for classification.
        period_s: median seconds between rows of the training split.
        window_length: rows of a window.
        stride: rows between the starts of training windows.
        evaluation_stride: rows between the starts of windows that are scored.
        metric: name of the figure of merit in ``METRICS``; it is taken in raw units.
        notes: what was done to the recordings that the user should know, one line each.
    """

    kind: Kind
    input_names: tuple[str, ...]
    target_names: tuple[str, ...]
    classes: tuple[int, ...]
    train: Split
    validation: Split
    test: Split
    input_normalizer: Normalizer
    target_normalizer: Normalizer | None
    period_s: float
    window_length: int
    stride: int
    evaluation_stride: int
    metric: str
    notes: tuple[str, ...]

    @property
    def splits(self) -> dict[SplitName, Split]:
        """The three splits by name."""
        return {"train": self.train, "validation": self.validation, "test": self.test}

    @property
    def outputs(self) -> int:
        """Values a model gives per row: one per class for classification, one per target otherwise."""
        return len(self.classes) if self.kind == "classification" else len(self.target_names)

    @property
    def dt_range_s(self) -> tuple[float, float]:
        """Smallest and largest seconds between rows of the training split."""
        return (
            float(min(segment.dt_s.min() for segment in self.train.segments)),
            float(max(segment.dt_s.max() for segment in self.train.segments)),
        )
