"""What corruption costs a controller under one condition: return and failures."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ltc_edge.arrays import BoolArray, FloatArray
from ltc_edge.evaluation.statistics import ReturnStatistics, return_statistics

NORMAL_975 = 1.959963984540054
"""The 97.5 % quantile of the normal distribution."""

HALF_WAY = 0.5
"""Where no episode ends by itself, one that loses more than this share of the way to nothing has failed."""


@dataclass(frozen=True, eq=False)
class Yardstick:
    """The expert and the zero controller on the same seeds, without corruption: 1 and 0 of every score.

    The expert sees the true state, whatever the sensors do, so that it cannot be compared under corruption;
    as a fixed point it makes scores of different controllers, formats and kinds comparable.

    Attributes:
        expert, zero: returns, ``(E,)``.
        expert_ended, zero_ended: whether the plant ended the episode before its longest, ``(E,)``.
    """

    expert: FloatArray
    zero: FloatArray
    expert_ended: BoolArray
    zero_ended: BoolArray

    @property
    def way(self) -> float | None:
        """Mean return from the zero controller to the expert; None where the expert is no better."""
        way = float(self.expert.mean() - self.zero.mean())
        return way if way > 1e-9 * max(1.0, abs(float(self.expert.mean()))) else None

    @property
    def failure(self) -> str:
        """What a failed episode is, in words; `failed` does as it says."""
        if self.ends_well:
            return "it does not end, as the expert's do"
        if self.zero_ended.any():
            return "it ends before its longest"
        half = f"returns less than the expert on this seed by over {HALF_WAY:.0%} of the way to doing nothing"
        return f"it ends before its longest, or {half}"

    @property
    def ends_well(self) -> bool:
        """Whether most of the expert's episodes end by themselves: then it is success that ends them."""
        return bool(self.expert_ended.mean() > 0.5)

    def failed(self, returns: FloatArray, ended: BoolArray) -> BoolArray:
        """Which episodes failed, ``(E,)``, by their returns and whether they ended by themselves."""
        if self.ends_well:
            return ~ended
        if self.zero_ended.any() or self.way is None:
            return ended
        return ended | (returns < self.expert - HALF_WAY * self.way)

    def normalised(self, mean_return: float) -> float | None:
        """0 for doing nothing and 1 for the expert, both uncorrupted; None where there is no way between."""
        way = self.way
        return None if way is None else (mean_return - float(self.zero.mean())) / way


@dataclass(frozen=True, eq=False)
class Score:
    """A controller under one condition.

    Attributes:
        each: the return of each episode, ``(E,)``.
        returns: of all episodes.
        normalised: their mean; see `Yardstick.normalised`.
        failures, episodes: how many of how many.
        failure_ci95: Wilson's interval of the failure rate.
    """

    each: FloatArray
    returns: ReturnStatistics
    normalised: float | None
    failures: int
    episodes: int
    failure_ci95: tuple[float, float]

    @property
    def failure_rate(self) -> float:
        """Share of episodes that failed."""
        return self.failures / self.episodes


def score(returns: FloatArray, ended: BoolArray, yardstick: Yardstick) -> Score:
    """The score of episodes with these returns ``(E,)``, of which some ended by themselves ``(E,)``."""
    statistics = return_statistics(returns)
    failures = int(yardstick.failed(returns, ended).sum())
    interval = wilson_interval(failures, len(returns))
    normalised = yardstick.normalised(statistics.mean)
    return Score(returns, statistics, normalised, failures, len(returns), interval)


def wilson_interval(failures: int, episodes: int) -> tuple[float, float]:
    """95 % score interval of a rate. Source: Wilson, *J. Am. Stat. Assoc.* 22 (1927), 209–212."""
    rate, z2 = failures / episodes, NORMAL_975**2
    middle = (rate + z2 / (2 * episodes)) / (1 + z2 / episodes)
    spread = math.sqrt(rate * (1 - rate) / episodes + z2 / (4 * episodes**2)) / (1 + z2 / episodes)
    # Rounding must not leave an interval that starts at 0 or ends at 1 short of it.
    low = 0.0 if failures == 0 else max(middle - NORMAL_975 * spread, 0.0)
    return low, 1.0 if failures == episodes else min(middle + NORMAL_975 * spread, 1.0)
