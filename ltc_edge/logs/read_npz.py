"""NPZ: named arrays of one length; a 1-D array is a column, a 2-D array gives name.0, name.1, …"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ltc_edge.errors import RecordingError
from ltc_edge.logs.columns import check_columns, check_unique
from ltc_edge.logs.decoding import decoding
from ltc_edge.logs.recording import Recording, checked_recording

_ZIP_MAGIC = b"PK"


def npz_columns(path: Path) -> tuple[str, ...]:
    """Names of the numeric columns of an NPZ file, in the order its arrays were saved.

    Raises:
        RecordingError: the file is damaged.
    """
    with decoding(path, "NPZ"):
        return tuple(_columns(path))


def read_npz(path: Path, columns: Sequence[str] | None, time: str | None) -> Recording:
    """Read columns of an NPZ file.

    Args:
        path: the file.
        columns: names to read; None reads every numeric column but ``time``.
        time: column of the time in seconds.

    Raises:
        RecordingError: a damaged file, pickled objects, arrays of different lengths, a missing column, a
            value that is not finite.
    """
    with decoding(path, "NPZ"):
        found = _columns(path)
        if columns is None:
            columns = [name for name in found if name != time]
            if not columns:
                raise RecordingError(f"{path}: has no numeric column. Save 1-D or 2-D numeric arrays.")
        wanted = [*columns, *([] if time is None else [time])]
        check_columns(wanted, list(found), str(path))
        _check_lengths(path, {name: len(found[name]) for name in wanted})
        values = np.stack([found[name].astype(np.float64) for name in columns], axis=1)
        time_s = None if time is None else found[time].astype(np.float64)
    return checked_recording(path, columns, values, time_s)


def _columns(path: Path) -> dict[str, npt.NDArray[Any]]:
    """Every numeric 1-D column of the archive by name; scalars, text and higher ranks are not columns."""
    found: list[tuple[str, npt.NDArray[Any]]] = []
    with path.open("rb") as stream:
        head = stream.read(len(_ZIP_MAGIC))
        if not head:
            raise RecordingError(f"{path}: is empty. It needs named numeric arrays of one length.")
        if head != _ZIP_MAGIC:
            raise RecordingError(f"{path}: is not an NPZ file. Save it with numpy.savez.")
        stream.seek(0)
        # Handed the open file, since numpy.load does not close its own where the archive is damaged.
        with np.load(stream, allow_pickle=False) as archive:
            for name in archive.files:
                found.extend(_array_columns(name, _load(path, archive, name)))
    check_unique([name for name, _ in found], str(path))
    return dict(found)


def _load(path: Path, archive: Any, name: str) -> npt.NDArray[Any]:
    """One array of the archive."""
    try:
        loaded = archive[name]
    except ValueError as error:
        if "object" in str(error).lower():
            raise RecordingError(
                f"{path}: array {name!r} holds pickled Python objects, which are refused. "
                f"Save plain numeric arrays."
            ) from error
        raise
    # A member whose name or first bytes are not an array's comes back as bytes.
    return loaded if isinstance(loaded, np.ndarray) else np.array(None)


def _array_columns(name: str, stored: npt.NDArray[Any]) -> list[tuple[str, npt.NDArray[Any]]]:
    """The columns one array gives."""
    if stored.dtype.kind not in "biuf":
        return []
    if stored.ndim == 1:
        return [(name, stored)]
    if stored.ndim == 2:
        return [(f"{name}.{index}", stored[:, index]) for index in range(stored.shape[1])]
    return []


def _check_lengths(path: Path, lengths: dict[str, int]) -> None:
    """Raise unless every chosen column has as many rows as the first."""
    first, rows = next(iter(lengths.items()))
    for name, length in lengths.items():
        if length != rows:
            raise RecordingError(
                f"{path}: {first!r} has {rows} rows and {name!r} has {length}. "
                f"Bring the arrays to one length, or choose other columns."
            )
