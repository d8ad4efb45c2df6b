"""One deployment at a time."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

from .layout import Refused


class Lock:
    """A lock on a file, which the system takes back from whoever ends, however that ends.

    Args:
        path: the file; it stays.
        wait_s: how long another may take to let go of it.

    Raises:
        Refused: another did not.
    """

    def __init__(self, path: Path, wait_s: float) -> None:
        # Programs that are started from here must not keep it: Python's handles are not inherited.
        self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
        deadline = time.monotonic() + wait_s
        while True:
            try:
                fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except OSError:
                if time.monotonic() > deadline:
                    self.release()
                    raise Refused(
                        f"another deployment is at work in {path.parent}; try again when it is over"
                    ) from None
            time.sleep(0.05)

    def release(self) -> None:
        """Let go of it."""
        os.close(self._handle)
