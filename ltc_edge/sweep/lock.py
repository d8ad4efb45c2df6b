"""One sweep a folder: a lock that ends with its process, however that ends."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ltc_edge.errors import OutputError

FILE = "lock"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the sweep in ``folder``.

    Raises:
        OutputError: another process holds it, or the folder cannot be written.
    """
    try:
        with (folder / FILE).open("wb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
    except BlockingIOError:
        raise OutputError(f"{folder}: a sweep is under way in it; let it end, or end it") from None
    except PermissionError as error:
        raise OutputError(f"{folder}: cannot be written ({error.strerror})") from None
