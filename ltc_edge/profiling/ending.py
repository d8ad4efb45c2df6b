"""Ending a profile from another thread: a device that hangs, or a user who has seen enough."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator


class EndedError(Exception):
    """A profile was ended from outside; the message says why.

    No error of ours that means bad input: whoever handles those would take it for an answer of the device.
    """


class Ending:
    """Whether a profile is to end, and what has to be cut off for that."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._why: str | None = None
        self._cuts: list[Callable[[str], None]] = []

    def end(self, why: str) -> None:
        """End the profile; the first reason stays. From any thread, and more than once."""
        with self._lock:
            if self._why is not None:
                return
            self._why = why
            cuts = list(self._cuts)
        for cut in cuts:
            cut(why)

    def check(self) -> None:
        """Go on, or not.

        Raises:
            EndedError: it was ended.
        """
        if self._why is not None:
            raise EndedError(self._why)

    @contextlib.contextmanager
    def cutting(self, cut: Callable[[str], None]) -> Iterator[None]:
        """Meanwhile ``cut`` is called with the reason when it is ended, and at once where it was."""
        with self._lock:
            why = self._why
            self._cuts.append(cut)
        try:
            if why is not None:
                cut(why)
            yield
        finally:
            with self._lock:
                self._cuts.remove(cut)
