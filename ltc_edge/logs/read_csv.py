"""CSV: a header row, then numbers; comma, semicolon or tab.

Two layouts of a row number are understood and the row number dropped: a first column with an empty name
(``DataFrame.to_csv``), and data rows with one field more than the header (R's ``write.table``).
"""

from __future__ import annotations

import csv
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import numpy as np

from ltc_edge.arrays import FloatArray
from ltc_edge.errors import RecordingError
from ltc_edge.logs.columns import check_columns, check_unique
from ltc_edge.logs.decoding import decoding
from ltc_edge.logs.recording import Recording, checked_recording

if TYPE_CHECKING:
    from _csv import Reader as _Reader

_DELIMITERS = ",;\t"


@dataclass(frozen=True)
class _Table:
    """An open CSV file: where each named column stands in a data row, and the data rows with their lines."""

    path: Path
    positions: dict[str, int]
    first_row: list[str]
    rows: Iterator[tuple[int, list[str]]]


def csv_columns(path: Path) -> tuple[str, ...]:
    """Names of the columns of a CSV file, in its order.

    Raises:
        RecordingError: the file is empty, has no header or cannot be read.
    """
    with decoding(path, "CSV"), path.open(newline="", encoding="utf-8-sig") as stream:
        return tuple(_open_table(path, stream).positions)


def read_csv(path: Path, columns: Sequence[str] | None, time: str | None) -> Recording:
    """Read columns of a CSV file.

    Args:
        path: the file, UTF-8.
        columns: names to read; None reads every column whose first value is a number, but for ``time``.
        time: column of the time, in seconds or as ISO 8601 timestamps (taken as UTC where they name no zone).

    Raises:
        RecordingError: a damaged file, a missing column, or a value that is not a finite number.
    """
    with decoding(path, "CSV"), path.open(newline="", encoding="utf-8-sig") as stream:
        table = _open_table(path, stream)
        if columns is None:
            columns = [name for name in _numeric_columns(table) if name != time]
            if not columns:
                raise RecordingError(
                    f"{path}: has no column of numbers. Check the delimiter and the header row."
                )
        wanted = [*columns, *([] if time is None else [time])]
        check_columns(wanted, list(table.positions), str(path))
        return _read_rows(table, columns, time)


def _open_table(path: Path, stream: TextIO) -> _Table:
    """Read the header and the first data row, which together settle the layout."""
    first_line = stream.readline()
    if not first_line.strip():
        raise RecordingError(
            f"{path}: is empty, or starts with an empty line. It needs a header row and data rows."
        )
    reader = csv.reader(
        chain([first_line], stream), delimiter=_delimiter(first_line), skipinitialspace=True, strict=True
    )
    header = [name.strip() for name in next(reader)]
    if all(_is_number(name) for name in header if name):
        raise RecordingError(f"{path}:1: holds numbers where the column names belong. Add a header row.")
    first_row = next(filter(None, reader), [])
    shift = 1 if _starts_with_row_name(first_row, header) else 0
    if first_row:
        _check_width(path, reader.line_num, first_row, len(header) + shift)
    named = [(name, position + shift) for position, name in enumerate(header) if name]
    check_unique([name for name, _ in named], str(path))
    rows = _data_rows(path, reader, first_row, len(header) + shift)
    return _Table(path, dict(named), first_row, rows)


def _starts_with_row_name(row: list[str], header: list[str]) -> bool:
    """Whether a data row has R's nameless row number or row name before its values.

    A row that ends in a delimiter, or starts with a measurement, has its extra field elsewhere: read as R's
    layout, every value would land one column off.
    """
    if len(row) != len(header) + 1 or not row[-1].strip():
        return False
    return row[0].strip().isdigit() or not _is_number(row[0])


def _data_rows(
    path: Path, reader: _Reader, first_row: list[str], width: int
) -> Iterator[tuple[int, list[str]]]:
    """Data rows with the line each stands on; empty lines are passed over."""
    first = [first_row] if first_row else []
    for row in chain(first, reader):
        if not row:
            continue
        _check_width(path, reader.line_num, row, width)
        yield reader.line_num, row


def _check_width(path: Path, line: int, row: list[str], width: int) -> None:
    if len(row) != width:
        raise RecordingError(
            f"{path}:{line}: has {len(row)} fields where {width} belong. "
            f"Quote fields that hold the delimiter, or repair the row."
        )


def _read_rows(table: _Table, columns: Sequence[str], time: str | None) -> Recording:
    """Convert the chosen columns row by row, so that a long file never stands in memory as text."""
    positions = [table.positions[name] for name in columns]
    numbers, lines, stamps = array("d"), array("q"), array("d")
    clock = None if time is None else _Clock(table, time)
    for line, row in table.rows:
        try:
            numbers.extend([float(row[position]) for position in positions])
        except ValueError:
            raise _not_a_number(table.path, line, row, columns, positions) from None
        lines.append(line)
        if clock is not None:
            stamps.append(clock.seconds(line, row))
    values = np.array(numbers, dtype=np.float64).reshape(len(lines), len(columns))
    time_s: FloatArray | None = None if clock is None else np.array(stamps, dtype=np.float64)
    return checked_recording(table.path, columns, values, time_s, lines)


class _Clock:
    """Turns the time column into seconds: numbers as they are, timestamps counted from the first one."""

    def __init__(self, table: _Table, column: str) -> None:
        self._path = table.path
        self._column = column
        self._position = table.positions[column]
        self._numeric = bool(table.first_row) and _is_number(table.first_row[self._position])
        self._origin: datetime | None = None

    def seconds(self, line: int, row: list[str]) -> float:
        """Seconds of one row."""
        text = row[self._position].strip()
        try:
            return float(text) if self._numeric else self._since_first(text)
        except ValueError:
            kind = (
                "a number of seconds"
                if self._numeric
                else "seconds or an ISO 8601 timestamp (2026-01-31T12:00:00)"
            )
            raise RecordingError(
                f"{self._path}:{line}: time column {self._column!r} holds {text!r}, not {kind}."
            ) from None

    def _since_first(self, text: str) -> float:
        stamp = datetime.fromisoformat(text)
        if stamp.tzinfo is None:
            stamp = stamp.replace(tzinfo=UTC)
        if self._origin is None:
            self._origin = stamp
        return (stamp - self._origin).total_seconds()


def _delimiter(header: str) -> str:
    """The delimiter that cuts the header into most fields; the comma where none does."""
    return max(_DELIMITERS, key=lambda mark: len(next(csv.reader([header], delimiter=mark))))


def _numeric_columns(table: _Table) -> list[str]:
    """Columns whose first value is a number."""
    if not table.first_row:
        return list(table.positions)
    return [name for name, position in table.positions.items() if _is_number(table.first_row[position])]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _not_a_number(
    path: Path, line: int, row: list[str], columns: Sequence[str], positions: Sequence[int]
) -> RecordingError:
    """The error for the first cell of a row that is not a number."""
    name, text = next(
        (name, row[at]) for name, at in zip(columns, positions, strict=True) if not _is_number(row[at])
    )
    if not text.strip():
        return RecordingError(
            f"{path}:{line}: column {name!r} is empty. Fill the value in, or remove the row."
        )
    hint = (
        "Use '.' as the decimal mark."
        if _is_number(text.replace(",", "."))
        else "Leave the column out, or repair it."
    )
    return RecordingError(f"{path}:{line}: column {name!r} holds {text[:40]!r}, not a number. {hint}")
