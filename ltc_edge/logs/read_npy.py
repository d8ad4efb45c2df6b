"""NPY: one numeric array of shape ``[T, C]``; its columns are called c0, c1, …"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ltc_edge.errors import RecordingError
from ltc_edge.logs.columns import check_columns
from ltc_edge.logs.decoding import decoding
from ltc_edge.logs.recording import Recording, checked_recording

_MAGIC = b"\x93NUMPY"


def npy_columns(path: Path) -> tuple[str, ...]:
    """Names ``c0`` to ``c{C-1}`` of the columns of an NPY file.

    Raises:
        RecordingError: the file is damaged or does not hold a numeric ``[T, C]`` array.
    """
    with decoding(path, "NPY"):
        return _names(_open_array(path))


def read_npy(path: Path, columns: Sequence[str] | None, time: str | None) -> Recording:
    """Read columns of an NPY file.

    Args:
        path: the file.
        columns: names to read; None reads all but ``time``.
        time: column of the time in seconds.

    Raises:
        RecordingError: a damaged file, pickled objects, another shape, a missing column, a value not finite.
    """
    with decoding(path, "NPY"):
        table = _open_array(path)
        names = _names(table)
        if columns is None:
            columns = [name for name in names if name != time]
        check_columns([*columns, *([] if time is None else [time])], names, str(path))
        values = table[:, [names.index(name) for name in columns]].astype(np.float64)
        time_s = None if time is None else table[:, names.index(time)].astype(np.float64)
    return checked_recording(path, columns, values, time_s)


def _names(table: npt.NDArray[Any]) -> tuple[str, ...]:
    return tuple(f"c{index}" for index in range(table.shape[1]))


def _open_array(path: Path) -> npt.NDArray[Any]:
    """Map the file's array; mapping refuses a header that claims more rows than the file holds."""
    with path.open("rb") as stream:
        head = stream.read(len(_MAGIC))
    if not head:
        raise RecordingError(f"{path}: is empty. It needs a numeric array of shape [rows, columns].")
    if head != _MAGIC:
        raise RecordingError(
            f"{path}: is not an NPY file. Pickled data are refused; save the array with numpy.save."
        )
    try:
        table: npt.NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except ValueError as error:
        if "object" in str(error).lower():
            raise RecordingError(
                f"{path}: holds pickled Python objects, which are refused. Save a plain numeric array."
            ) from error
        raise
    if table.ndim != 2 or table.dtype.kind not in "biuf":
        raise RecordingError(
            f"{path}: holds {table.dtype} of shape {list(table.shape)}, not numbers of shape [rows, "
            f"columns]. Save a two-dimensional numeric array."
        )
    return table
