"""Pieces of C text: literals, comments, rows of numbers, and names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np

_WORDS = """
auto break case char const continue default do double else enum extern float for goto if inline int long
register restrict return short signed sizeof static struct switch typedef union unsigned void volatile
while alignas alignof and asm bool catch class concept const_cast constexpr decltype delete dynamic_cast
explicit export false friend mutable namespace new noexcept not nullptr operator or private protected
public reinterpret_cast requires static_assert static_cast template this thread_local throw true try
typeid typename using virtual wchar_t xor main"""
KEYWORDS = frozenset(_WORDS.split())
"""Of C99 and of C++, in which the header is read too."""

WIDTH = 104


def float_literal(value: np.float32) -> str:
    """A float32 as a C literal that reads back as the same bits."""
    text = f"{float(value):.9g}"
    if not re.search(r"[.e]", text):
        text += ".0"
    return f"{text}F"


def comment_text(text: str) -> str:
    """Text that cannot end a comment or a line."""
    plain = "".join(c if c.isprintable() and c.isascii() else "?" for c in text)
    # Two question marks begin a trigraph.
    return re.sub(r"\?\?+", "?", plain.replace("*/", "* /").replace("/*", "/ *"))[:200]


def string_text(text: str) -> str:
    """Text inside of a string literal."""
    return "".join(c if c.isascii() and (c.isalnum() or c in " ._-+") else "_" for c in text)[:120]


def rows(items: Sequence[str], indent: str) -> Iterator[str]:
    """Items with commas, as many to a line as fit."""
    line = indent
    for item in items:
        piece = f"{item},"
        if len(line) + len(piece) > WIDTH and line.strip():
            yield line.rstrip()
            line = indent
        line += f"{piece} "
    if line.strip():
        yield line.rstrip()
