"""Times in turns: what else the machine does meanwhile falls on all sides."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Pass = Callable[[], object]


@dataclass(frozen=True)
class Effort:
    """How long to measure.

    Attributes:
        seconds: of a case, about; a slow peer gets its fewest rounds all the same.
        fewest, most: rounds.
        turns: most turns of the fast ones in a round.
    """

    seconds: float = 60.0
    fewest: int = 3
    most: int = 21
    turns: int = 15


@dataclass
class Times:
    """Seconds of a pass: of each fast contender turn by turn, and the slow one's a round.

    Attributes:
        turns: by round, a list of turns a name.
        slow: one a round.
    """

    turns: list[dict[str, list[float]]] = field(default_factory=list)
    slow: list[float] = field(default_factory=list)

    def fast(self, name: str) -> list[float]:
        """All turns of a contender."""
        return [seconds for turn in self.turns for seconds in turn[name]]


def take_turns(fast: Mapping[str, Pass], slow: Pass | None, effort: Effort) -> Times:
    """Rounds of: the slow one once, then turns of the fast ones.

    The first turn after the slow one is not counted: it finds the caches emptied. Every second turn goes
    the other way round.
    """
    guess = {name: seconds_of(one) for name, one in fast.items()}
    slow_s = seconds_of(slow) if slow is not None else 0.0
    turn_s = sum(guess.values())
    turns = int(np.clip(max(slow_s, 0.5) / turn_s, 3, effort.turns))
    rounds = int(np.clip(effort.seconds / (slow_s + turns * turn_s), effort.fewest, effort.most))
    times = Times()
    for _ in range(rounds):
        if slow is not None:
            times.slow.append(seconds_of(slow))
        found: dict[str, list[float]] = {name: [] for name in fast}
        for turn in range(turns + 1):
            for name in list(fast)[:: 1 if turn % 2 == 0 else -1]:
                seconds = seconds_of(fast[name])
                if turn > 0:
                    found[name].append(seconds)
        times.turns.append(found)
    return times


def seconds_of(one: Pass) -> float:
    """Of one call."""
    start = time.perf_counter()
    one()
    return time.perf_counter() - start


def figures(times: Times, slow: str | None) -> dict[str, Any]:
    """Medians of all, and how many times faster the first of the fast ones is, the median of pairs."""
    first, *others = times.turns[0]
    ratios = {
        name: [b / a for a, b in zip(times.fast(first), times.fast(name), strict=True)] for name in others
    }
    medians = {name: spread_ms(times.fast(name)) for name in (first, *others)}
    if slow is not None:
        ratios[slow] = [
            seconds / float(np.median(turn[first]))
            for seconds, turn in zip(times.slow, times.turns, strict=True)
        ]
        medians[slow] = spread_ms(times.slow)
    return {
        **{f"speedup_vs_{name}": float(np.median(found)) for name, found in ratios.items()},
        "speedup_quartiles": {name: quartiles(found) for name, found in ratios.items()},
        "ms": medians,
        "rounds": len(times.turns),
        "turns": len(times.fast(first)),
    }


def quartiles(values: Sequence[float]) -> list[float]:
    """The first and the third."""
    low, high = np.quantile(values, [0.25, 0.75]).tolist()
    return [low, high]


def spread_ms(values: Iterable[float]) -> dict[str, Any]:
    """Median, quartiles and the best, in milliseconds."""
    ms = [1e3 * value for value in values]
    return {"median": float(np.median(ms)), "quartiles": quartiles(ms), "best": min(ms)}
