"""Looking things up in a document that a device sent: what is missing, or is something else, is None."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any


def field(document: Any, *keys: str) -> Any:
    """The value below ``keys``, one in the other."""
    for key in keys:
        document = document.get(key) if isinstance(document, Mapping) else None
    return document


def number(value: Any) -> float | None:
    """A finite number; True and False are none."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) else None


def text(value: Any) -> str | None:
    """One printable line."""
    return value if isinstance(value, str) and value.isprintable() and len(value) <= 200 else None
