"""How many trials ended how, and the commonest reasons."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from ltc_edge.sweep.front import TrialResult
from ltc_edge.sweep.work import State

_NUMBER = re.compile(r"[-+]?\d[\d.,]*(?:e[-+]?\d+)?")
_SHOWN = 2
"""Reasons that `Tally.words` gives of a state."""


@dataclass(frozen=True)
class Tally:
    """Trials of a sweep, counted.

    Attributes:
        complete: with all their figures.
        feasible: of these, within the budget.
        pruned, failed: why, the commonest first: a reason of one of them, and of how many it is, but for the
            numbers in it.
    """

    complete: int
    feasible: int
    pruned: tuple[tuple[str, int], ...]
    failed: tuple[tuple[str, int], ...]

    @property
    def words(self) -> list[str]:
        """The counts, one a line."""
        over = self.complete - self.feasible
        lines = [f"{self.complete} complete" + (f", {over} of them over budget" if over else "")]
        for name, reasons in (("pruned", self.pruned), ("failed", self.failed)):
            if reasons:
                lines.append(f"{sum(count for _, count in reasons)} {name}: {_listed(reasons)}")
        return lines


def tally(results: Sequence[TrialResult]) -> Tally:
    """Count ``results``."""
    complete = [result for result in results if result.state == "complete"]
    feasible = sum(result.feasible for result in complete)
    return Tally(len(complete), feasible, _reasons(results, "pruned"), _reasons(results, "failed"))


def _reasons(results: Sequence[TrialResult], state: State) -> tuple[tuple[str, int], ...]:
    shown: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for result in results:
        if result.state == state:
            reason = result.reason or "no reason is known"
            kind = _NUMBER.sub("#", reason)
            shown.setdefault(kind, reason)
            counts[kind] += 1
    return tuple((shown[kind], count) for kind, count in counts.most_common())


def _listed(reasons: Sequence[tuple[str, int]]) -> str:
    if len(reasons) == 1:
        return reasons[0][0]
    texts = [f"{reason} ({count})" for reason, count in reasons[:_SHOWN]]
    left = len(reasons) - len(texts)
    return "; ".join(texts) + (f"; and {left} other reason{'s' if left > 1 else ''}" if left else "")
