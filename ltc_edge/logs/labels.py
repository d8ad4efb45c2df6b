"""Class labels: whole numbers in a recording, indexes in a data set."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ltc_edge.arrays import FloatArray, IntArray
from ltc_edge.errors import RecordingError

# A column of measurements mistaken for labels would otherwise give an output per value.
_MOST_CLASSES = 1000


def find_classes(columns: Sequence[FloatArray], name: str) -> tuple[int, ...]:
    """The labels that occur, ascending.

    Args:
        columns: label columns of shape ``[T_k]``, checked to be whole numbers.
        name: the column, for messages.

    Raises:
        RecordingError: one label alone, or too many to be classes.
    """
    labels = tuple(int(label) for label in np.unique(np.concatenate(columns)))
    if len(labels) < 2:
        raise RecordingError(
            f"column {name!r} holds the one label {labels[0]} in the training split. "
            f"Classification needs two at least: record more, or split by files with --validation and --test."
        )
    if len(labels) > _MOST_CLASSES:
        raise RecordingError(
            f"column {name!r} holds {len(labels)} labels. If it is a measurement, use regression."
        )
    return labels


def check_labels(column: FloatArray, name: str, source: str) -> None:
    """Raise ``RecordingError`` unless every entry of ``column``, shape ``[T]``, is a whole number."""
    bad = np.flatnonzero((column != np.round(column)) | (np.abs(column) > 2**53))
    if len(bad):
        raise RecordingError(
            f"{source}: row {bad[0] + 1}: label column {name!r} holds {column[bad[0]]:g}, not a whole "
            f"number. Number the classes 0, 1, …, or use regression."
        )


def class_indexes(
    column: FloatArray, classes: Sequence[int], name: str, source: str, first_row: int
) -> IntArray:
    """Labels of shape ``[T]`` to indexes into ``classes``, int64.

    Args:
        column: whole numbers.
        classes: labels in ascending order.
        name: the column, for messages.
        source: the file, for messages.
        first_row: row of the file that ``column`` starts at, from 0, for messages.

    Raises:
        RecordingError: a label that the training split does not have.
    """
    known = np.array(classes, dtype=np.int64)
    labels = column.astype(np.int64)
    indexes = np.minimum(np.searchsorted(known, labels), len(known) - 1)
    unseen = np.flatnonzero(known[indexes] != labels)
    if len(unseen):
        raise RecordingError(
            f"{source}: row {first_row + int(unseen[0]) + 1}: label {labels[unseen[0]]} of column {name!r} "
            f"does not occur in the training split. Put a recording that has it among the training files."
        )
    return indexes.astype(np.int64)
