"""The loop of a sweep: ask the study, let the engine work, tell the study, until all trials are told."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Protocol

from ltc_edge.sweep.board import Board
from ltc_edge.sweep.engines.engine import Engine, Lost
from ltc_edge.sweep.plan import SweepPlan
from ltc_edge.sweep.study import Asked, Study
from ltc_edge.sweep.told import Told, judge
from ltc_edge.sweep.work import Work


class Watcher(Protocol):
    """Whoever looks on."""

    def working(self, busy: int) -> None:
        """So many replicates run."""

    def lost(self, lost: Lost) -> None:
        """A worker is gone; its work is done again."""

    def told(self, asked: Asked, told: Told) -> None:
        """A trial is over, and in the study."""


def run_sweep(study: Study, engine: Engine, trials: Path, total: int, watcher: Watcher) -> None:
    """Bring ``study`` to ``total`` trials, all told.

    It may be interrupted at any point, and called again with the same study, read anew.

    Args:
        study: of the sweep.
        engine: what carries out the work; it is not closed here.
        trials: the folder of trials.
        total: trials to ask for; less where the space has no more.
        watcher: who is told of progress.

    Raises:
        LtcEdgeError: a machine is not fit for the work, or the storage is gone; the sweep can go on later.
    """
    board = Board(engine, trials)
    for asked in study.asked[len(study.told) :]:
        board.add(replicates(asked, study.plan))
    while True:
        while asked := study.ask(total):  # type: ignore[assignment]
            board.add(replicates(asked, study.plan))
        number = len(study.told)
        if number == len(study.asked):
            return
        outcomes = board.decided(number)
        if outcomes is None:
            _step(board, watcher)
            continue
        told = study.tell(outcomes)
        board.close(number)
        watcher.told(study.asked[number], told)


def replicates(asked: Asked, plan: SweepPlan) -> list[Work]:
    """The work of a trial. Its first seed alone may be given up: the mean of what went well says nothing."""
    measure = plan.measure.to_json()
    return [
        Work(asked.number, seed, asked.settings, measure, asked.giving_up if seed == 0 else {})
        for seed in range(plan.seeds)
    ]


def confirm(
    study: Study, numbers: list[int], engine: Engine, trials: Path, watcher: Watcher
) -> dict[int, Told]:
    """Measure the trials ``numbers``, which were judged by proxies, for real.

    Raises:
        LtcEdgeError: as `run_sweep`.
    """
    board = Board(engine, trials)
    measure = dataclasses.replace(study.plan.measure, proxy=False)
    for number in numbers:
        first = replicates(study.asked[number], study.plan)
        board.add(
            dataclasses.replace(work, measure=measure.to_json(), giving_up={}, confirm=True) for work in first
        )
    confirmed: dict[int, Told] = {}
    for number in numbers:
        while (outcomes := board.decided(number)) is None:
            _step(board, watcher)
        confirmed[number] = judge(outcomes, measure)
        board.close(number)
        watcher.told(study.asked[number], confirmed[number])
    return confirmed


def _step(board: Board, watcher: Watcher) -> None:
    watcher.working(board.busy)
    for lost in board.step():
        watcher.lost(lost)
