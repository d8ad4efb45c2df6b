"""The replicates that are under way: what waits, what runs, what came back, and what comes next."""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path

from ltc_edge.sweep.engines.engine import Engine, Lost
from ltc_edge.sweep.told import deciding
from ltc_edge.sweep.work import Outcome, Work, outcome_file_of

MOST_LOST = 3
"""Times that work is done again after its worker was lost, before the fault is taken for its own."""

SPARE = 2
"""Pieces of work beyond its slots that an engine is given, so that no worker waits for the driver."""

Key = tuple[int, int]
"""(trial, seed)."""


class Board:
    """Brings the replicates of trials to an engine and gathers their outcomes.

    The older trial goes first, since the search waits for it. A further seed of a trial that may yet be
    given up is done only while nothing else is to do.

    Args:
        engine: what carries out the work.
        trials: the folder of trials; outcomes that lie there are not worked for again.
    """

    def __init__(self, engine: Engine, trials: Path) -> None:
        self._engine, self._trials = engine, trials
        self._outcomes: dict[int, dict[int, Outcome]] = {}
        self._open: dict[Key, Work] = {}
        self._queue: list[tuple[bool, int, int]] = []
        self._running: set[Key] = set()
        self._lost: Counter[Key] = Counter()
        self._seeds: defaultdict[int, int] = defaultdict(int)

    @property
    def busy(self) -> int:
        """How many replicates run."""
        return min(len(self._running), self._engine.slots)

    def add(self, works: Iterable[Work]) -> None:
        """Take on the replicates of one trial, by their seeds from 0.

        Raises:
            ControllerFileError: an outcome that is there is damaged.
        """
        for work in works:
            self._seeds[work.trial] += 1
            outcomes = self._outcomes.setdefault(work.trial, {})
            path = outcome_file_of(self._trials, work)
            if path.exists():
                outcomes[work.seed] = Outcome.read(path, work)
            else:
                self._put(work, is_risky=work.seed > 0 and self._may_be_given_up(work.trial))

    def decided(self, trial: int) -> tuple[Outcome, ...] | None:
        """The outcomes that decide ``trial``; None while they are not there."""
        return deciding(self._outcomes[trial], self._seeds[trial])

    def close(self, trial: int) -> None:
        """Forget ``trial``: what still runs of it has no say in it."""
        del self._outcomes[trial]
        for seed in range(self._seeds.pop(trial)):
            self._open.pop((trial, seed), None)

    def step(self) -> list[Lost]:
        """Let the engine work until something ends; what was lost, for people to know.

        Raises:
            LtcEdgeError: a machine is not fit for the work.
        """
        self._feed()
        lost: list[Lost] = []
        for ended in self._engine.wait():
            if isinstance(ended, Lost):
                lost.append(ended)
                self._again(ended)
            else:
                self._take(ended)
        self._feed()
        return lost

    def _feed(self) -> None:
        room = self._engine.slots + SPARE
        while self._queue and len(self._running) < room:
            _, trial, seed = heapq.heappop(self._queue)
            work = self._open.pop((trial, seed), None)
            if work is not None and self._is_wanted(work):
                self._running.add((trial, seed))
                self._engine.submit(work)

    def _put(self, work: Work, *, is_risky: bool) -> None:
        self._open[work.trial, work.seed] = work
        heapq.heappush(self._queue, (is_risky, work.trial, work.seed))

    def _take(self, outcome: Outcome) -> None:
        self._running.discard((outcome.trial, outcome.seed))
        if outcome.trial not in self._outcomes:
            return  # it was decided without this one
        self._outcomes[outcome.trial][outcome.seed] = outcome
        if outcome.seed == 0:  # its other seeds are no longer at risk
            for seed in range(1, self._seeds[outcome.trial]):
                if (outcome.trial, seed) in self._open:
                    heapq.heappush(self._queue, (False, outcome.trial, seed))

    def _again(self, lost: Lost) -> None:
        work = lost.work
        key = (work.trial, work.seed)
        self._running.discard(key)
        self._lost[key] += 1
        if self._lost[key] <= MOST_LOST:
            self._put(work, is_risky=False)
            return
        reason = f"lost {self._lost[key]} times: {lost.reason}"
        self._take(Outcome(work.trial, work.seed, "failed", reason=reason))

    def _may_be_given_up(self, trial: int) -> bool:
        first = self._open.get((trial, 0))
        return first is not None and bool(first.giving_up)

    def _is_wanted(self, work: Work) -> bool:
        """Whether its trial is not decided without it."""
        outcomes = self._outcomes.get(work.trial)
        if outcomes is None:
            return False
        return all(outcomes[seed].state == "complete" for seed in range(work.seed) if seed in outcomes)
