"""One recording: named columns over rows, with their time where the file carries it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ltc_edge.arrays import FloatArray
from ltc_edge.errors import RecordingError

MAX_MAGNITUDE = 1e30
"""Largest value: it fits into the float32 of training, and its square into float64."""


@dataclass(frozen=True)
class Recording:
    """The columns of one file.

    Attributes:
        source: path of the file, as it was given.
        names: C column names.
        values: array of shape ``[T, C]``, float64, every value finite.
        time_s: array of shape ``[T]``, float64: seconds since the first row, strictly increasing;
            None where no time was asked for and the format carries none.
        begins: rows before which rows are missing, however short the time between them.
    """

    source: str
    names: tuple[str, ...]
    values: FloatArray
    time_s: FloatArray | None
    begins: tuple[int, ...] = ()

    @property
    def rows(self) -> int:
        """T, the number of rows."""
        return int(self.values.shape[0])


def checked_recording(
    path: Path,
    names: Sequence[str],
    values: FloatArray,
    time_s: FloatArray | None,
    lines: Sequence[int] | None = None,
    begins: tuple[int, ...] = (),
) -> Recording:
    """Build a ``Recording`` from decoded columns, or say why they cannot be used.

    Args:
        path: file the columns came from.
        names: C column names.
        values: array of shape ``[T, C]``.
        time_s: array of shape ``[T]`` in seconds from any origin, or None.
        lines: line of the file each row stands on, for text files; messages count rows from 1 without it.
        begins: rows before which rows are missing.

    Raises:
        RecordingError: no column, fewer than two rows, a value not finite, or time that does not advance.
    """
    if not names:
        raise RecordingError(f"{path}: has no numeric column. Store the values as numbers.")
    rows = values.shape[0]
    if rows < 2:
        held = "no row" if rows == 0 else "a single row"
        raise RecordingError(f"{path}: holds {held} of data. A recording needs at least two rows.")

    def place(row: int) -> str:
        return f"{path}: row {row + 1}" if lines is None else f"{path}:{lines[row]}"

    bad = np.argwhere(~(np.abs(values) <= MAX_MAGNITUDE))
    if len(bad):
        row, column = (int(index) for index in bad[0])
        if np.isfinite(values[row, column]):
            raise RecordingError(
                f"{place(row)}: column {names[column]!r} is {values[row, column]:g}, "
                f"beyond {MAX_MAGNITUDE:g}. Correct the value, or store it in another unit."
            )
        raise RecordingError(
            f"{place(row)}: column {names[column]!r} is {values[row, column]}. Fill the value in, or remove "
            f"the row (a long gap in time then splits the recording)."
        )
    if time_s is not None:
        _check_time(time_s, place)
        with np.errstate(all="ignore"):
            time_s = time_s - time_s[0]
        if not np.isfinite(time_s[-1]):
            raise RecordingError(
                f"{path}: the time column spans more than a number can hold. Give it in seconds."
            )
    kept = np.ascontiguousarray(values, dtype=np.float64)
    return Recording(str(path), tuple(names), kept, time_s, begins)


def _check_time(time_s: FloatArray, place: Callable[[int], str]) -> None:
    """Raise unless ``time_s`` is finite and strictly increasing."""
    bad = np.flatnonzero(~np.isfinite(time_s))
    if len(bad):
        raise RecordingError(
            f"{place(int(bad[0]))}: the time is {time_s[bad[0]]}. Remove the row or fill the time in."
        )
    stuck = np.flatnonzero(time_s[1:] <= time_s[:-1])
    if len(stuck):
        row = int(stuck[0]) + 1
        verb = "repeats" if time_s[row] == time_s[row - 1] else "runs backwards"
        raise RecordingError(
            f"{place(row)}: time {verb} ({time_s[row - 1]:.9g} then {time_s[row]:.9g} s). "
            f"Sort the rows, remove duplicates, or keep one run per file."
        )
