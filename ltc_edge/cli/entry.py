"""What ``ltc-edge`` on a command line calls first: Ctrl-C while Python imports is no traceback either.

Nothing is imported here that takes time. Before Python comes to this file, Ctrl-C is Python's own.
"""

from __future__ import annotations

import os
import signal
from types import FrameType

INTERRUPTED = 130


def main() -> None:
    """Import the command line, run it, and exit."""
    # Ignored it stays, as under nohup.
    heeded = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if heeded:
        # An exception would come up in somebody's import, which may take it for its own, or print it.
        signal.signal(signal.SIGINT, _end)
    from ltc_edge.cli.main import main as command

    if heeded:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    command()


def _end(_: int, __: FrameType | None) -> None:
    """End at once: nothing was begun that would have to be put in order."""
    os.write(2, b"Interrupted.\n")
    os._exit(INTERRUPTED)
