"""Text of a controller inside of files: names and units are written by people and mean no harm, or do."""

from __future__ import annotations

import re
import unicodedata

from ltc_edge.export.c.text import comment_text

LONGEST = 100
"""Characters of a text; what is longer is cut."""

_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>#|~&$!])")


def one_line(text: str) -> str:
    """Text without controls, line ends, marks of writing direction and lone surrogates; spaces are single."""
    kept = "".join(" " if unicodedata.category(c)[0] in "CZ" else c for c in text)
    return " ".join(kept.split())[:LONGEST].rstrip()


def c_comment(text: str) -> str:
    """Text within a ``/* */`` comment of C and C++, where it is followed by a space."""
    # Two question marks and a slash are a backslash to a compiler of 1999.
    return re.sub(r"\?\?+", "?", comment_text(text.replace("\\", "/")))


def c_string(text: str) -> str:
    """A string literal of C++ that holds the text's UTF-8, a question mark for what UTF-8 has not."""
    content = text.replace("\0", "?").encode("utf-8", "replace")
    # Always three digits, so that a digit that follows is none of them.
    plain = "".join(chr(b) if 0x20 <= b < 0x7F and b not in b'"\\?' else f"\\{b:03o}" for b in content)
    return f'"{plain}"'


def yaml_string(text: str) -> str:
    """A double-quoted scalar of YAML."""
    plain = "".join(c if " " <= c <= "~" and c not in '"\\' else f"\\U{ord(c):08X}" for c in one_line(text))
    return f'"{plain}"'


def property_value(text: str) -> str:
    """A value of ``library.properties``: what follows the first equals sign of a line."""
    return one_line(text)


def markdown(text: str) -> str:
    """Text within a line of Markdown, a table's cell included."""
    return _MARKDOWN.sub(r"\\\1", one_line(text))
