"""Recordings by path: which reader serves which file, and which files a pattern means."""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ltc_edge.errors import RecordingError
from ltc_edge.logs.columns import check_choice, select_columns
from ltc_edge.logs.read_bag import bag_columns, read_bag
from ltc_edge.logs.read_csv import csv_columns, read_csv
from ltc_edge.logs.read_npy import npy_columns, read_npy
from ltc_edge.logs.read_npz import npz_columns, read_npz
from ltc_edge.logs.read_parquet import parquet_columns, read_parquet
from ltc_edge.logs.read_step_log import mcap_columns, read_mcap
from ltc_edge.logs.recording import Recording


@dataclass(frozen=True)
class Format:
    """How one format is read: the columns it offers, and the recording itself."""

    columns: Callable[[Path], tuple[str, ...]]
    read: Callable[[Path, Sequence[str] | None, str | None], Recording]


_CSV = Format(csv_columns, read_csv)
_BAG = Format(bag_columns, read_bag)
_BAG_FOLDER_FILE = "metadata.yaml"

FORMATS: dict[str, Format] = {
    ".csv": _CSV,
    ".tsv": _CSV,
    ".txt": _CSV,
    ".npy": Format(npy_columns, read_npy),
    ".npz": Format(npz_columns, read_npz),
    ".parquet": Format(parquet_columns, read_parquet),
    ".mcap": Format(mcap_columns, read_mcap),
    ".db3": _BAG,
}
"""The format of each file suffix; a folder is a rosbag2 folder."""


def read_recording(
    path: str | Path, columns: str | Sequence[str] | None = None, time: str | None = None
) -> Recording:
    """Read one recording; its suffix says which format it has.

    Args:
        path: a CSV, NPY, NPZ, Parquet, MCAP or db3 file, or a rosbag2 folder.
        columns: names to decode, in the order wanted: a sequence, or text such as ``"a,b"`` or ``"c0:c5"``.
            None takes every numeric column but ``time``.
        time: column of the time. None leaves ``time_s`` None but for bags, which carry their log time.

    Raises:
        RecordingError: the file is missing, damaged, of an unknown format, or its content cannot be used.
        MissingExtraError: the format needs the ``logs`` extra.
    """
    path = Path(path)
    found = format_of(path)
    if isinstance(columns, str):
        columns = select_columns(columns, found.columns(path), str(path))
    if columns is not None:
        check_choice(columns, str(path))
    return found.read(path, columns, time)


def column_names(path: str | Path) -> tuple[str, ...]:
    """Names of the columns ``read_recording`` can decode, in the file's order.

    Raises:
        RecordingError: the file is missing, damaged or of an unknown format.
        MissingExtraError: the format needs the ``logs`` extra.
    """
    path = Path(path)
    return format_of(path).columns(path)


def format_of(path: Path) -> Format:
    """The format of a path.

    Raises:
        RecordingError: there is nothing at the path, or its suffix is of no known format.
    """
    if path.is_dir():
        if not (path / _BAG_FOLDER_FILE).is_file():
            raise RecordingError(
                f"{path}: is a folder without {_BAG_FOLDER_FILE}, so not a rosbag2 recording. "
                f"Name files, as in {path}/*.csv."
            )
        return _BAG
    if not path.exists():
        raise RecordingError(f"{path}: there is no such file. Check the path.")
    found = FORMATS.get(path.suffix.lower())
    if found is None:
        raise RecordingError(
            f"{path}: {path.suffix or 'no suffix'} is not a format of recordings. "
            f"Convert it to one of {', '.join(FORMATS)}, or a rosbag2 folder."
        )
    return found


def find_files(patterns: Sequence[str], option: str) -> tuple[Path, ...]:
    """Files that paths or glob patterns name, sorted, each once.

    Args:
        patterns: paths or patterns; ``**`` crosses folders.
        option: the option they came from, for messages.

    Raises:
        RecordingError: there is no pattern, or one matches nothing.
    """
    if not patterns:
        raise RecordingError(f"{option}: no file was given. Name a file or a pattern.")
    found: dict[Path, Path] = {}
    for pattern in patterns:
        matches = _matches(pattern)
        if not matches:
            raise RecordingError(
                f"{option} {pattern}: no file matches. Check the path, and quote the pattern."
            )
        for match in matches:
            try:
                found.setdefault(match.resolve(), match)
            except (OSError, RuntimeError):
                raise RecordingError(f"{match}: is a loop of symbolic links. Leave it out.") from None
    return tuple(sorted(found.values()))


def _matches(pattern: str) -> list[Path]:
    """What one path or pattern names; a path that exists is meant literally, though it may hold a bracket."""
    pattern = os.path.expanduser(pattern)  # noqa: PTH111 (Path.expanduser raises for an unknown user)
    if pattern and Path(pattern).exists():
        return [Path(pattern)]
    return [Path(name) for name in glob.glob(pattern, recursive=True)]  # noqa: PTH207 (takes absolute patterns)
