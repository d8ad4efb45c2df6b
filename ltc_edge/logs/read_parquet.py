"""Parquet: numeric columns; a column of equally long lists gives the columns name.0, name.1, …

Lists are how robot-learning data sets store a whole observation in one column.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ltc_edge.arrays import FloatArray
from ltc_edge.errors import RecordingError, require
from ltc_edge.logs.columns import check_columns, check_unique
from ltc_edge.logs.decoding import decoding
from ltc_edge.logs.recording import Recording, checked_recording

# Column name -> the stored field and, for a list, the element.
_Columns = dict[str, tuple[str, int | None]]


def parquet_columns(path: Path) -> tuple[str, ...]:
    """Names of the numeric columns of a Parquet file, in its order.

    Raises:
        RecordingError: the file is damaged.
        MissingExtraError: pyarrow is not installed.
    """
    parquet = require("pyarrow.parquet", "logs")
    with decoding(path, "Parquet"), parquet.ParquetFile(path) as table:
        return tuple(_columns(path, table))


def read_parquet(path: Path, columns: Sequence[str] | None, time: str | None) -> Recording:
    """Read columns of a Parquet file; only these are decoded.

    Args:
        path: the file.
        columns: names to read; None reads every numeric column but ``time``.
        time: column of the time: numbers of seconds, or timestamps.

    Raises:
        RecordingError: a damaged file, a missing column, a value that is missing or not finite.
        MissingExtraError: pyarrow is not installed.
    """
    parquet = require("pyarrow.parquet", "logs")
    with decoding(path, "Parquet"), parquet.ParquetFile(path) as table:
        found = _columns(path, table)
        if columns is None:
            columns = [name for name in found if name != time]
            if not columns:
                raise RecordingError(f"{path}: has no numeric column. Store the values as numbers.")
        check_columns(columns, list(found), str(path))
        if time is not None:
            check_columns([time], table.schema_arrow.names, str(path))
        fields = {found[name][0] for name in columns} | ({time} if time is not None else set())
        stored = table.read(columns=sorted(fields))
        values = np.empty((stored.num_rows, len(columns)))
        for index, name in enumerate(columns):
            values[:, index] = _numbers(path, stored, *found[name])
        time_s = None if time is None else _seconds(path, stored.column(time), time)
    return checked_recording(path, columns, values, time_s)


def _columns(path: Path, table: Any) -> _Columns:
    """The numeric columns of an open file."""
    arrow = require("pyarrow", "logs")
    found: list[tuple[str, tuple[str, int | None]]] = []
    for field in table.schema_arrow:
        if _is_number(arrow, field.type):
            found.append((field.name, (field.name, None)))
        elif _is_list(arrow, field.type) and _is_number(arrow, field.type.value_type):
            width = _list_width(table, field.name)
            found.extend((f"{field.name}.{index}", (field.name, index)) for index in range(width))
    check_unique([name for name, _ in found], str(path))
    return dict(found)


def _is_number(arrow: Any, kind: Any) -> bool:
    types = arrow.types
    return bool(
        types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind) or types.is_decimal(kind)
    )


def _is_list(arrow: Any, kind: Any) -> bool:
    types = arrow.types
    return bool(types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind))


def _list_width(table: Any, name: str) -> int:
    """Length of the first list of a column; that every row has it is checked when the column is read."""
    first = next(table.iter_batches(batch_size=1, columns=[name]), None)
    return 0 if first is None or not first.num_rows else len(first.column(0)[0].as_py() or ())


def _numbers(path: Path, stored: Any, field: str, element: int | None) -> FloatArray:
    """One column of shape ``[T]``; missing values become NaN, which the recording's check reports."""
    arrow = require("pyarrow", "logs")
    column = stored.column(field)
    if element is not None:
        compute = require("pyarrow.compute", "logs")
        lengths = np.asarray(compute.fill_null(compute.list_value_length(column), -1).to_numpy())
        if len(lengths) and (lengths != lengths[0]).any():
            row = int(np.argmax(lengths != lengths[0])) + 1
            raise RecordingError(
                f"{path}: row {row}: the lists of column {field!r} change length. Store one length."
            )
        column = compute.list_element(column, element)
    if arrow.types.is_boolean(column.type):
        column = column.cast(arrow.uint8())
    return np.asarray(column.cast(arrow.float64(), safe=False).to_numpy(), dtype=np.float64)


def _seconds(path: Path, column: Any, name: str) -> FloatArray:
    """The time column in seconds; timestamps are counted from the first row before they are rounded."""
    arrow = require("pyarrow", "logs")
    if arrow.types.is_timestamp(column.type) or arrow.types.is_duration(column.type):
        if column.null_count:
            raise RecordingError(f"{path}: time column {name!r} has missing values. Remove those rows.")
        per_second = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[column.type.unit]
        ticks = np.asarray(column.cast(arrow.int64()).to_numpy())
        return np.asarray((ticks - ticks[:1]) / per_second, dtype=np.float64)
    if not _is_number(arrow, column.type):
        raise RecordingError(f"{path}: time column {name!r} holds {column.type}, not numbers or timestamps.")
    return np.asarray(column.cast(arrow.float64(), safe=False).to_numpy(), dtype=np.float64)
