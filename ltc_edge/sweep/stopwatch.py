"""What the stages of a replicate take."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator

OnProgress = Callable[[str, float], None]
"""(stage, share of it that is done)."""


class Stopwatch:
    """Wall time by stage; whoever watches is told where each begins.

    Attributes:
        seconds: by stage, so far.
    """

    def __init__(self, on_progress: OnProgress) -> None:
        self.seconds: dict[str, float] = {}
        self.on_progress = on_progress

    @contextlib.contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a stage, also one that fails; of one that comes again the times are added."""
        self.on_progress(name, 0.0)
        started = time.monotonic()
        try:
            yield
        finally:
            passed = time.monotonic() - started
            self.seconds[name] = round(self.seconds.get(name, 0.0) + passed, 3)
