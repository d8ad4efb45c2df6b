"""What else counts as Ctrl-C while a command has something to put in order."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def ended_is_interrupted() -> Iterator[None]:
    """SIGTERM and SIGHUP are Ctrl-C meanwhile: folders go, and what was measured is kept."""
    numbers = [n for n in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(n) is signal.SIG_DFL]
    for number in numbers:
        signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        for number in numbers:
            signal.signal(number, signal.SIG_DFL)
