"""What a decoder raises on damaged bytes, turned into one line about the file."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ltc_edge.errors import LtcEdgeError, RecordingError

_LONGEST_REASON = 160


@contextmanager
def decoding(path: Path, file_format: str) -> Iterator[None]:
    """Run a decoder over ``path``; whatever it raises leaves as a ``RecordingError``.

    Damaged files make the decoders (NumPy, zlib, Arrow, rosbags) raise nearly anything, from ``struct.error``
    to ``MemoryError``, so every ``Exception`` is caught here. Their warnings about such files are dropped.

    Raises:
        RecordingError: the decoder failed.
        LtcEdgeError: one raised inside passes unchanged.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except LtcEdgeError:
        raise
    except Exception as error:
        raise RecordingError(
            f"{path}: cannot be read as {file_format} ({_reason(error)}). {_REMEDY}"
        ) from error


_REMEDY = "Check that the file is complete and of the format its name says, or record it again."


def _reason(error: Exception) -> str:
    """The first line of the decoder's own words, or the name of its error where it has none."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    lines = str(error).strip().splitlines()
    text = lines[0].strip().rstrip(".") if lines else ""
    return text[:_LONGEST_REASON] or type(error).__name__
