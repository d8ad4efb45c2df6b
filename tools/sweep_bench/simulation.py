"""A sweep as events: a driver that does one thing at a time, workers, and trials told in their order."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Costs:
    """Seconds beside the work.

    Attributes:
        ask, tell: of the driver, for a trial.
        receive: of the driver, for a replicate: taking its outcome and handing out the next.
        gap: of the worker, between two replicates.
    """

    ask: float = 0.0
    tell: float = 0.0
    receive: float = 0.0
    gap: float = 0.0


@dataclass(frozen=True)
class Simulated:
    """What a sweep came to.

    Attributes:
        makespan_s: from its beginning to its end.
        utilisation: share of the workers' time that was work.
    """

    makespan_s: float
    utilisation: float


def simulate(
    trials: int,
    seeds: int,
    workers: int,
    lookahead: int,
    duration: Callable[[int, int], float],
    costs: Costs,
) -> Simulated:
    """The loop of `ltc_edge.sweep.driver.run_sweep`, replicates of ``duration(trial, seed)`` seconds.

    Trial k is asked for once k − lookahead + 1 trials are told, trials are told in their order, and the
    replicate of the oldest trial is handed out first. Nothing is given up or lost.
    """
    now = work = 0.0
    asked = told = 0
    free = workers
    queue: list[tuple[int, int]] = []
    running: list[tuple[float, int]] = []
    left = defaultdict(lambda: seeds)
    while told < trials:
        while asked < trials and told >= asked - lookahead + 1:
            now += costs.ask
            for seed in range(seeds):
                heapq.heappush(queue, (asked, seed))
            asked += 1
        while free and queue:
            trial, seed = heapq.heappop(queue)
            lasts = duration(trial, seed)
            heapq.heappush(running, (now + costs.gap + lasts, trial))
            work += lasts
            free -= 1
        if told < asked and left[told] == 0:
            now += costs.tell
            told += 1
            continue
        ended, trial = heapq.heappop(running)
        now = max(now, ended) + costs.receive
        left[trial] -= 1
        free += 1
    return Simulated(now, work / (now * workers))
