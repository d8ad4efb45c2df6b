"""Means over trainings, differences of pairs of trainings, and how sure they are."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ltc_edge.arrays import FloatArray
from ltc_edge.errors import require

RESAMPLES = 20_000
BOOTSTRAP_SEED = 0

WORTH = 0.02
"""An advantage smaller than this, of heights from 0 to 1, is none that anyone would change a cell for."""

Verdict = Literal["holds", "does not hold", "cannot be told"]


@dataclass(frozen=True)
class Estimate:
    """A mean over ``trainings``, with a 95 % interval; without one where there is only one training."""

    mean: float
    ci95: tuple[float, float] | None
    trainings: int


def estimate(values: Sequence[float]) -> Estimate:
    """The mean of figures of independent trainings."""
    return pooled({"": values})


def pooled(strata: Mapping[str, Sequence[float]]) -> Estimate:
    """The mean of the means of several subjects, each with figures of its own trainings.

    Trainings are resampled within each subject: subjects are the ones at hand, not a sample of all there are.
    With five trainings a percentile interval of the bootstrap covers far less than it says: it takes the
    deviation for √(4/5) of what it is, and knows no tails. Its percentiles are therefore moved outwards, to
    where they agree with Student's t on normal figures. Source: Hesterberg, "What teachers should know about
    the bootstrap", *The American Statistician* 69 (2015), 371–386, expanded percentile interval.
    """
    arrays = [np.asarray(values, dtype=np.float64) for values in strata.values()]
    mean = float(np.mean([array.mean() for array in arrays]))
    count = sum(map(len, arrays))
    if min(map(len, arrays)) < 2:
        return Estimate(mean, None, count)
    rng = np.random.default_rng(BOOTSTRAP_SEED)
    means: FloatArray = np.mean([_resampled(array, rng) for array in arrays], axis=0)
    tail = 100.0 * _tail(arrays)
    low, high = np.percentile(means, [tail, 100.0 - tail])
    return Estimate(mean, (float(low), float(high)), count)


def verdict(advantage: Estimate, worth: float = WORTH) -> Verdict:
    """Whether a promised advantage is there: ``advantage`` is how much better the LTC is.

    It holds where the whole interval is above 0, and does not hold where the whole interval is below what is
    ``worth`` having.
    """
    if advantage.ci95 is None:
        return "cannot be told"
    low, high = advantage.ci95
    if low > 0.0:
        return "holds"
    return "does not hold" if high < worth else "cannot be told"


def joint(verdicts: Sequence[Verdict]) -> Verdict:
    """Of a promise that is made against several: kept if kept against all, broken if broken against one."""
    if all(one == "holds" for one in verdicts):
        return "holds"
    return "does not hold" if "does not hold" in verdicts else "cannot be told"


def _resampled(array: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Means of resampled trainings, ``(RESAMPLES,)``."""
    chosen = rng.integers(0, len(array), size=(RESAMPLES, len(array)))
    means: FloatArray = array[chosen].mean(axis=1)
    return means


def _tail(arrays: Sequence[FloatArray]) -> float:
    """The share of resampled means to leave out at each end."""
    stats = require("scipy.stats", "train")
    freedom = sum(len(array) - 1 for array in arrays)
    smallest = min(map(len, arrays))
    reach = float(stats.t.ppf(0.975, freedom)) * math.sqrt(smallest / (smallest - 1))
    return float(stats.norm.cdf(-reach))
