"""Which width a learning curve recommends, if any: the one-standard-error rule, over folds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ltc_edge.arrays import FloatArray
from ltc_edge.evaluation.sizing.learning_curve import Candidate

Outcome = Literal["found", "flat", "still falling", "not enough data"]


UNLEARNED = 0.1
"""Share by which a wider network's training error may exceed a narrower one's before it is worth a word."""


@dataclass(frozen=True, eq=False)
class Recommendation:
    """What a cell's curve says.

    Attributes:
        outcome: ``found``; ``flat`` where the narrowest tried is as good as any; ``still falling`` where only
            the widest tried is; ``not enough data`` where none is better than a guess, or the folds are of
            no window each that is independent of the others.
        reason: why no size is recommended, where none is.
        chosen: the narrowest that is within one standard error of the best; None without enough data.
        best: the one of the least mean error.
        settled: whether no wider network did worse in training than a narrower one. It could have done as
            well: else the curve tells of training, not of the data.
    """

    outcome: Outcome
    reason: str | None
    chosen: Candidate | None
    best: Candidate
    settled: bool


def recommend(candidates: Sequence[Candidate], guess: FloatArray, windows: float) -> Recommendation:
    """The recommendation for one cell.

    The rule is that of Breiman et al. (1984), with the standard error of the difference from the best,
    fold by fold: folds differ in difficulty for all networks alike, which says nothing of the network.

    Args:
        candidates: at least one, from the narrowest.
        guess: error of a guess that ignores the inputs, ``(F,)``, ``F ≥ 2``.
        windows: independent ones there are.
    """
    best = min(candidates, key=lambda each: float(each.held_out.mean()))
    settled = not any(_unlearned(wider, candidates[:index]) for index, wider in enumerate(candidates))
    missing = None
    if windows < len(guess):
        missing = f"the rows are worth {windows:.1f} independent windows, fewer than there are folds"
    elif not _is_worse(guess, best.held_out):
        missing = "no width is better than a guess that ignores the inputs by more than chance"
    if missing is not None:
        return Recommendation("not enough data", missing, None, best, settled)
    chosen = next(each for each in candidates if not _is_worse(each.held_out, best.held_out))
    outcome: Outcome = "found"
    if len(candidates) > 1 and chosen is candidates[-1]:
        outcome = "still falling"
    elif chosen is candidates[0]:
        outcome = "flat"
    return Recommendation(outcome, None, chosen, best, settled)


def _unlearned(wider: Candidate, narrower: Sequence[Candidate]) -> bool:
    """Whether any of ``narrower`` learned what it was shown clearly better than ``wider``."""
    return any(
        wider.trained.mean() > (1.0 + UNLEARNED) * each.trained.mean()
        and _is_worse(wider.trained, each.trained)
        for each in narrower
    )


def _is_worse(errors: FloatArray, best: FloatArray) -> bool:
    """Whether ``errors`` are larger by more than one standard error of the difference, both ``(F,)``."""
    return float(np.mean(errors - best)) > standard_error(errors - best)


def standard_error(values: FloatArray) -> float:
    """Of the mean of ``values`` ``(F,)``."""
    return float(np.std(values, ddof=1) / np.sqrt(len(values)))
