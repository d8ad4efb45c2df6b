"""Devices that are slower than those of the same model.

One is called a straggler where its p50 is beyond the median of its like by three robust deviations, and by a
fifth of the median. The deviation is the median absolute one times 1.4826, which is the standard deviation
where times are normal (Rousseeuw and Croux 1993). Both medians stay where they are until half of the devices
are slow; a mean and a standard deviation would not do, since a straggler is in them: of n devices none can be
more than (n - 1) / sqrt(n) standard deviations from their mean (Samuelson 1968), which is below three up to
n = 10. The fifth is there since a few devices may be alike to a thousandth by chance, so that any other one
would be beyond three deviations. Of fewer than three nobody can tell which one is odd.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ltc_edge.profiling.fleet.summary import DeviceSummary

FEWEST_ALIKE = 3
DEVIATIONS = 3.0
LEAST_RATIO = 1.2
CONSISTENCY = 1.4826
"""1 / Φ⁻¹(3/4): by which a median absolute deviation becomes a standard deviation of the normal law."""


@dataclass(frozen=True)
class Comparison:
    """A device and a format against all devices that are alike.

    Attributes:
        alike: how many these are, with the device itself.
        median_us: of their p50.
        ratio: of the device's p50 to it.
        limit_us: beyond it a device is a straggler; None where there are too few to tell.
        straggler: whether it is.
    """

    alike: int
    median_us: float
    ratio: float
    limit_us: float | None
    straggler: bool


def straggler_limit(p50_us: Sequence[float]) -> float | None:
    """Microseconds beyond which a device is a straggler, from the p50 of all that are alike, ``(n,)``."""
    if len(p50_us) < FEWEST_ALIKE:
        return None
    times = np.asarray(p50_us, dtype=np.float64)
    median = float(np.median(times))
    deviation = CONSISTENCY * float(np.median(np.abs(times - median)))
    return max(median + DEVIATIONS * deviation, LEAST_RATIO * median)


def compare_alike(devices: Sequence[DeviceSummary]) -> dict[tuple[str, str], Comparison]:
    """Every device that has others like it, by its label and the format's name."""
    groups: dict[tuple[tuple[str, ...], str], dict[str, float]] = {}
    for device in devices:
        for form, reading in device.readings.items():
            if device.likeness is not None and reading.p50_us is not None:
                groups.setdefault((device.likeness, form), {})[device.label] = reading.p50_us
    return {
        (label, form): compared
        for (_, form), times in groups.items()
        if len(times) > 1
        for label, compared in _compare(times).items()
    }


def _compare(times: Mapping[str, float]) -> dict[str, Comparison]:
    median, limit = float(np.median(list(times.values()))), straggler_limit([*times.values()])
    return {
        label: Comparison(
            alike=len(times),
            median_us=median,
            ratio=us / median if median > 0 else 1.0,
            limit_us=limit,
            straggler=limit is not None and us > limit,
        )
        for label, us in times.items()
    }
