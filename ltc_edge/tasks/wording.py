"""Foreign exceptions in the one line that a message may take."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ltc_edge.errors import LtcEdgeError, TaskError


def one_line(error: BaseException) -> str:
    """``ValueError: no such plan``, whatever line breaks the text has."""
    try:
        text = " ".join(str(error).split())
    except Exception:
        text = ""
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


@contextmanager
def foreign_code(what: str) -> Iterator[None]:
    """Run code that a user wrote: whatever it raises, ``sys.exit`` included, becomes one line.

    Raises:
        TaskError: it raised; the message starts with ``what``.
    """
    try:
        yield
    except LtcEdgeError:
        raise
    except (Exception, SystemExit) as error:
        raise TaskError(f"{what} raised {one_line(error)}") from error
