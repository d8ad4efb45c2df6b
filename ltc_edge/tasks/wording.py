"""Foreign exceptions in the one line that a message may take."""

from __future__ import annotations


def one_line(error: BaseException) -> str:
    """``ValueError: no such plan``, whatever line breaks the text has."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
