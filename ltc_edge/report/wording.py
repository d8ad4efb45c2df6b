"""Numbers as people read them. What was not measured is `MISSING`, never 0."""

from __future__ import annotations

import math
from collections.abc import Sequence

MISSING = "—"
MOST_DECIMALS = 6


def number_text(value: float) -> str:
    """Whole numbers in full, others to four digits."""
    if value == round(value) and abs(value) < 1e15:
        return f"{value:,.0f}"
    return f"{value:,.1f}" if abs(value) >= 1000 else f"{value:.4g}"


def count_text(value: int | None) -> str:
    """A whole number with its thousands apart."""
    return MISSING if value is None else f"{value:,}"


def bytes_text(value: int) -> str:
    """Bytes in the unit that suits them."""
    for unit, size in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if value >= size:
            return f"{value / size:.3g} {unit}" if value < 1000 * size else f"{value / size:,.0f} {unit}"
    return f"{value} bytes"


def time_text(us: float) -> str:
    """A time of so many microseconds in the unit that suits it, to three digits."""
    for unit, size in (("s", 1e6), ("ms", 1e3), ("µs", 1.0)):
        if us >= size:
            return f"{us / size:.3g} {unit}"
    return f"{us * 1e3:.3g} ns"


def aligned(values: Sequence[float | None], digits: int = 2, most: int = MOST_DECIMALS) -> list[str]:
    """A column of numbers with equally many decimals, so that right-aligned their points are aligned.

    Args:
        values: the numbers; None where one was not measured.
        digits: significant digits of the smallest.
        most: decimals; what vanishes behind them is said to be less than the last.
    """
    sizes = [abs(value) for value in values if value]
    smallest = min(sizes, default=1.0)
    decimals = min(max(digits - 1 - math.floor(math.log10(smallest)), 0), most)
    return [_fixed(value, decimals) for value in values]


def _fixed(value: float | None, decimals: int) -> str:
    if value is None:
        return MISSING
    text = f"{value:,.{decimals}f}"
    vanished = value != 0 and not text.strip("-0.,")
    return f"< {10.0**-decimals:.{decimals}f}" if vanished else text


def significant(values: Sequence[float | None], digits: int = 3) -> list[str]:
    """A column of numbers of the same precision, however far apart they are.

    Each has so many significant digits and no more; blanks as wide as a digit stand in for decimals that it
    lacks, so that right-aligned the points are aligned.
    """
    texts = [MISSING if value is None else _significant(value, digits) for value in values]
    most = max(map(_decimals, texts), default=0)
    return [text if text == MISSING or "e" in text else text + _blanks(text, most) for text in texts]


def _significant(value: float, digits: int) -> str:
    size = math.floor(math.log10(abs(value))) if value else 0
    if size < -8 or size > 15:
        return f"{value:.{digits - 1}e}"
    return f"{value:,.{max(digits - 1 - size, 0)}f}"


def _decimals(text: str) -> int:
    """Decimals of a number; one with an exponent stands by itself."""
    return 0 if "e" in text else len(text.partition(".")[2])


def _blanks(text: str, most: int) -> str:
    decimals = _decimals(text)
    point = "\u2008" if most and not decimals else ""
    return point + "\u2007" * (most - decimals)


def listed(names: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return " and ".join(part for part in (", ".join(names[:-1]), names[-1]) if part) if names else ""
