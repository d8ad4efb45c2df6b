"""Figures of samples of time: quantiles, and a histogram whose tail can be seen."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float64]

QUANTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p999": 0.999}
BINS_PER_DECADE = 40
MOST_BINS = 240
SMALLEST_US = 1e-3


def summarise(us: Samples) -> dict[str, float | int | None]:
    """Quantiles, mean, deviation and maximum of samples in microseconds, ``(n,)``.

    A quantile beyond which there is no sample is null: the largest of 100 samples is no p99.9.
    """
    count = len(us)
    found: dict[str, float | int | None] = {
        name: float(np.quantile(us, share, method="inverted_cdf")) if _beyond(count, share) >= 1 else None
        for name, share in QUANTILES.items()
    }
    found |= {"max": float(us.max()), "mean": float(us.mean())} if count else {"max": None, "mean": None}
    return found | {"std": float(us.std(ddof=1)) if count > 1 else None, "samples": count}


def _beyond(count: int, share: float) -> int:
    """How many of so many samples lie beyond a quantile."""
    return int(round(count * (1 - share), 6))


def histogram(us: Samples) -> dict[str, Any] | None:
    """Edges ``(n + 1,)`` in microseconds, evenly spaced in their logarithm, and counts ``(n,)``."""
    if not len(us):
        return None
    values = np.maximum(us, SMALLEST_US)
    low, high = np.log10(values.min()), np.log10(values.max())
    bins = int(np.clip(np.ceil((high - low) * BINS_PER_DECADE), 1, MOST_BINS))
    # A little wider, so that the ends are inside whatever the rounding does.
    edges = np.logspace(low - 1e-9, max(high, low + 1e-6) + 1e-9, bins + 1)
    counts, _ = np.histogram(values, edges)
    return {"edges_us": [float(f"{edge:.6g}") for edge in edges], "counts": counts.tolist()}
