"""Histograms of latencies as SVG: a row a format on one axis of time, both axes logarithmic.

Rows side by side need no colours to be told apart, and a logarithmic count shows the one step in 100,000
that was late.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from ltc_edge.report.profile import FormatFigures, Histogram
from ltc_edge.report.svg import Element, add, drawing, to_text
from ltc_edge.report.wording import time_text

WIDTH = 640.0
_LEFT, _RIGHT = 54.0, 18.0
_TITLE, _PLOT, _GAP = 36.0, 48.0, 16.0
_AXIS = 36.0
_LIFT = 0.35  # of a decade: how high a single count stands
_MARKS = (("p50", "p50"), ("p99", "p99"), ("p999", "p99.9"))


@dataclass(frozen=True)
class _Axis:
    """Time, in the decades between ``low`` and ``high`` microseconds."""

    low: float
    high: float

    def place(self, us: float) -> float:
        """Where a time is, in the drawing's units; times beyond either end are at it."""
        span = math.log10(self.high / self.low)
        share = math.log10(min(max(us, self.low), self.high) / self.low) / span
        return _LEFT + share * (WIDTH - _LEFT - _RIGHT)

    def ticks(self) -> list[tuple[float, bool]]:
        """Times to draw a line at, and whether they are labelled."""
        first, last = math.floor(math.log10(self.low)), math.ceil(math.log10(self.high))
        named = (1, 2, 5) if math.log10(self.high / self.low) < 2.2 else (1,)
        return [
            (digit * 10.0**power, digit in named)
            for power in range(first, last + 1)
            for digit in range(1, 10)
            if self.low <= digit * 10.0**power <= self.high
        ]


def histogram_svg(formats: Sequence[FormatFigures], target: str) -> str | None:
    """The histograms of the formats that have one; None where none has."""
    rows = [
        (figures, figures.histogram)
        for figures in formats
        if figures.histogram and any(figures.histogram.counts)
    ]
    if not rows:
        return None
    low = min(histogram.edges_us[0] for _, histogram in rows)
    high = max(histogram.edges_us[-1] for _, histogram in rows)
    # Half a decade at least, so that an axis has two labels.
    axis = _Axis(low / 1.1, max(high * 1.1, low * 3.5))
    height = len(rows) * (_TITLE + _PLOT + _GAP) + _AXIS
    names = ", ".join(figures.name for figures, _ in rows)
    root = drawing(WIDTH, height, f"Histogram of single steps on {target}: {names}", "histogram")
    most = max(max(histogram.counts) for _, histogram in rows)
    _time_axis(root, axis, height)
    for place, (figures, histogram) in enumerate(rows):
        _row(root, axis, figures, histogram, place * (_TITLE + _PLOT + _GAP), most)
    return to_text(root)


def _time_axis(root: Element, axis: _Axis, height: float) -> None:
    bottom = height - _AXIS - _GAP + 4.0
    for us, labelled in axis.ticks():
        x = axis.place(us)
        add(root, "path", class_="grid" if labelled else "minor", d=f"M{x:.1f} {_TITLE:.1f}V{bottom:.1f}")
        if labelled:
            # A label at either end stays inside.
            anchor = "end" if x > WIDTH - 50 else "start" if x < _LEFT + 20 else "middle"
            add(root, "text", time_text(us), class_="tick", x=x, y=bottom + 18, text_anchor=anchor)
    add(root, "text", "time of one step →", class_="axis", x=WIDTH - _RIGHT, y=height - 8, text_anchor="end")


def _row(
    root: Element, axis: _Axis, figures: FormatFigures, histogram: Histogram, top: float, most: int
) -> None:
    base = top + _TITLE + _PLOT
    # The row's own background hides the grid behind its title.
    above = _GAP - 6 if top else 0
    add(root, "rect", class_="behind", x=0, y=top - above, width=WIDTH, height=_TITLE + above)
    add(root, "text", figures.name, class_="row", x=0, y=top + 20)
    slowest = figures.latency.max
    if slowest is not None:
        add(
            root,
            "text",
            f"max {time_text(slowest)}",
            class_="value",
            x=WIDTH - _RIGHT,
            y=top + 20,
            text_anchor="end",
        )
    powers = range(max(math.floor(math.log10(most)), 0) + 1)
    for power in powers:
        y = base - _height(10**power, most)
        add(root, "path", class_="grid", d=f"M{_LEFT:.1f} {y:.1f}H{WIDTH - _RIGHT:.1f}")
        if power in (0, powers[-1]):
            add(root, "text", _count(power), class_="tick", x=_LEFT - 6, y=y + 4, text_anchor="end")
    add(root, "path", class_="counts", d=_outline(axis, histogram, base, most))
    add(root, "path", class_="base", d=f"M{_LEFT:.1f} {base:.1f}H{WIDTH - _RIGHT:.1f}")
    for name, label in _MARKS:
        value = getattr(figures.latency, name)
        if value is not None and value > 0:
            x = axis.place(value)
            title = f"{figures.name}: {label} {time_text(value)}"
            add(
                root,
                "path",
                title=title,
                class_=f"mark {name}",
                d=f"M{x:.1f} {base - _PLOT:.1f}V{base + 5:.1f}",
            )


def _height(count: int, most: int) -> float:
    if count < 1:
        return 0.0
    return _PLOT * (math.log10(count) + _LIFT) / (math.log10(max(most, 10)) + _LIFT)


def _count(power: int) -> str:
    """10 to a power in few letters."""
    unit = ("", "k", "M", "G", "T")[min(power // 3, 4)]
    return f"{10 ** (power - 3 * min(power // 3, 4))}{unit}"


def _outline(axis: _Axis, histogram: Histogram, base: float, most: int) -> str:
    """Bars that touch where bins do; an empty bin is a gap."""
    parts: list[str] = []
    standing = False
    edges = histogram.edges_us
    for (low, high), count in zip(pairwise(edges), histogram.counts, strict=True):
        if count == 0:
            if standing:
                parts.append(f"V{base:.1f}Z")
            standing = False
            continue
        left = axis.place(low)
        # A bin is half a unit wide at least: the slowest step of a million must be seen.
        right = max(axis.place(high), left + 1.2)
        parts.append(f"V{base - _height(count, most):.1f}H{right:.1f}" if standing else "")
        if not standing:
            parts[-1] = f"M{left:.1f} {base:.1f}V{base - _height(count, most):.1f}H{right:.1f}"
        standing = True
    if standing:
        parts.append(f"V{base:.1f}Z")
    return "".join(parts)
