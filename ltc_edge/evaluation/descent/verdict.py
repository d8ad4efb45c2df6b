"""What a curve shows, in plain words: whether double descent could show, whether it does, and where."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from ltc_edge.evaluation.descent.curve import Curve
from ltc_edge.evaluation.descent.peak import Peak, most_prominent

INTERPOLATED = 0.01
"""Training error, in variances of the targets, from which labels count as known by heart; of classes none may
be wrong."""


@dataclass(frozen=True)
class Verdict:
    """What one share of wrong labels showed.

    Attributes:
        interpolates_from: index of the first width from which on the median seed knows its labels by
            heart; None where none does.
        premise_met: whether both sides of that width were swept.
        peak: of the test error, where it is more than chance.
        at_threshold: whether the peak is within one width of ``interpolates_from``.
        words: a sentence or two.
    """

    interpolates_from: int | None
    premise_met: bool
    peak: Peak | None
    at_threshold: bool
    words: str

    @property
    def is_double_descent(self) -> bool:
        """A peak, where labels begin to be known by heart."""
        return self.premise_met and self.peak is not None and self.at_threshold


def judge(curve: Curve, labels: int) -> Verdict:
    """What ``curve`` shows.

    Args:
        curve: three widths or more.
        labels: ``n·outputs``, the labels that a seed has to fit.
    """
    start = _interpolates_from(curve)
    candidate = most_prominent(curve.test_error, logarithmic=curve.logarithmic)
    peak = candidate if candidate is not None and candidate.is_seen else None
    near = start is not None and peak is not None and abs(peak.index - start) <= 1
    words = " ".join(_sentences(curve, labels, start, candidate, at_threshold=near))
    met = start is not None and 0 < start < len(curve.widths) - 1
    return Verdict(start, met, peak, near, words)


def _interpolates_from(curve: Curve) -> int | None:
    allowed = INTERPOLATED if curve.logarithmic else 0.0
    fitted = np.median(curve.train_error, axis=1) <= allowed
    if not fitted[-1]:
        return None
    misses = np.flatnonzero(~fitted)
    return int(misses[-1]) + 1 if len(misses) else 0


def _sentences(
    curve: Curve, labels: int, start: int | None, peak: Peak | None, *, at_threshold: bool
) -> list[str]:
    where = partial(_where, curve, labels)
    is_seen = peak is not None and peak.is_seen
    if start is None:
        least = float(np.median(curve.train_error[-1]))
        said = [
            f"No interpolation reached: at {where(-1)} the training error is still {least:.2g}; "
            "no double descent can show (premise not met)."
        ]
    elif start == 0:
        said = [
            f"Every width interpolates, from {where(0)} on: the threshold lies below the sweep, and no peak "
            "at it can show (premise not met); sweep smaller --widths."
        ]
    elif start == len(curve.widths) - 1:
        said = [
            f"Labels are known by heart at {where(-1)} alone, the widest: whether the test error falls again "
            "past it is not seen (premise not met); sweep larger --widths."
        ]
    else:
        said = [f"Labels are known by heart from {where(start)} on."]
    if peak is None or not is_seen:
        chance = "" if peak is None else f" (its highest bump is no more than chance, p = {peak.p_value:.2g})"
        return [*said, f"No peak of the test error is seen{chance}."]
    size = _size(curve, peak)
    if start and at_threshold:
        said.append(f"Double descent: the test error peaks there, at {where(peak.index)}, {size}.")
    else:
        said.append(
            f"The test error has a peak at {where(peak.index)}, {size}, which is not where labels begin to "
            "be known by heart: not double descent as it is understood."
        )
    return [*said, _second_descent(curve, peak)]


def _second_descent(curve: Curve, peak: Peak) -> str:
    mean = [each.mean for each in curve.summary(curve.test_error)]
    best = "wide" if mean[peak.right] < mean[peak.left] else "narrow"
    return (
        f"Lowest on the left {mean[peak.left]:.3g} at width {curve.widths[peak.left]}, on the right "
        f"{mean[peak.right]:.3g} at width {curve.widths[peak.right]}: the {best} side is better."
    )


def _where(curve: Curve, labels: int, index: int) -> str:
    count = curve.parameters[index]
    return f"width {curve.widths[index]} (p = {count}, {count / labels:.3g} × n·outputs)"


def _size(curve: Curve, peak: Peak) -> str:
    if curve.logarithmic:
        return f"{peak.rise:.3g} times its lowest before and {peak.fall:.3g} times its lowest after"
    return f"{100 * peak.rise:.1f} points above its lowest before and {100 * peak.fall:.1f} after"
