"""What pictures of times have in common: colours, axes, and text of whatever a device says."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ltc_edge.errors import require
from ltc_edge.files import write_atomically

# Of the palette of Okabe and Ito, which people with any colour vision tell apart; line styles differ as well.
BLUE, ORANGE, VERMILLION, BLACK, GRAY = "#0072B2", "#E69F00", "#D55E00", "#222222", "#6B6B6B"

SMALLEST_US = 1e-3
"""What a logarithmic axis of times begins at: a nanosecond, which no clock here resolves."""


def time_axis(axis: Any, times: Sequence[float]) -> None:
    """A logarithmic axis over these times in microseconds, with units in its labels."""
    ticker = require("matplotlib.ticker", "plots")
    margin = 1.15 if max(times) > 3.0 * min(times) else 2.0
    low, high = min(times) / margin, max(times) * margin
    axis.set_xscale("log")
    axis.set_xlim(low, high)
    decades = math.log10(high / low)
    axis.xaxis.set_major_locator(ticker.LogLocator(subs=(1.0, 2.0, 5.0) if decades < 2.5 else (1.0,)))
    axis.xaxis.set_major_formatter(ticker.FuncFormatter(lambda value, _: time_text(value)))
    axis.xaxis.set_minor_formatter(ticker.NullFormatter())
    axis.tick_params(axis="x", labelsize=8.5)
    axis.grid(visible=True, axis="x", color=GRAY, alpha=0.2, linewidth=0.6)
    axis.set_axisbelow(True)
    axis.spines[["top", "right"]].set_visible(False)


def time_text(us: float) -> str:
    """Microseconds in the unit that reads best, with three digits."""
    for unit, factor in (("s", 1e6), ("ms", 1e3), ("µs", 1.0)):
        if us >= 0.9995 * factor:
            return f"{float(f'{us / factor:.3g}'):g} {unit}"
    return f"{float(f'{us * 1e3:.3g}'):g} ns" if us > SMALLEST_US else "≤ 1 ns"


def plain_text(text: str, most: int) -> str:
    """One line that the font of the picture has the letters of; what comes from a device may be anything."""
    line = "".join(letter if letter.isprintable() else "?" for letter in text)
    line = line.encode("latin-1", "replace").decode("latin-1")
    return line if len(line) <= most else f"{line[: most - 3]}..."


def write_png(figure: Any, path: Path) -> None:
    """Write a figure; the same one gives the same bytes.

    Raises:
        OutputError: the file cannot be written.
    """
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=130, metadata={"Software": None})
    write_atomically(path, buffer.getvalue())
