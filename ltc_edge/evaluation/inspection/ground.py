"""Where pruning searches and where it is verified: never on the same episodes or windows."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

from ltc_edge.controller import Controller
from ltc_edge.errors import InputError
from ltc_edge.evaluation.closed_loop import evaluation_seeds
from ltc_edge.evaluation.inspection.arena import Arena, ClosedLoop, Recorded
from ltc_edge.evaluation.visited import Visited, visited_in_closed_loop, visited_on_recordings
from ltc_edge.logs import Dataset
from ltc_edge.tasks.protocol import Task

PRUNING_SEED = 660_000
"""Of the episodes of the search: above fine-tuning's, below validation's and far above evaluation's."""

LOOKED_AT, QUICK, SEARCHED = 8, 12, 48
"""Episodes that means are taken over, that refuse a bad candidate early, and that judge in all."""

MOST_WINDOWS = 512
"""Windows of recordings that judge, spread over the split."""


@dataclass(frozen=True, eq=False)
class Ground:
    """What pruning plays.

    Attributes:
        subject: the task, or the recordings.
        look: where a controller goes, apart from what verifies it.
        search: arenas of the search, which judge together; the first is quick.
        fresh: the arena of the ``k``-th verification, each of its own where there is more than one.
        verifications: how many there are.
        verified_on: what verifies, in words, for the ``k``-th.
    """

    subject: Task | Dataset
    look: Callable[[Controller], Visited]
    search: tuple[Arena, ...]
    fresh: Callable[[int], Arena]
    verifications: int
    verified_on: Callable[[int], str]


def ground_of_task(task: Task, episodes: int, seed: int, verifications: int = 3) -> Ground:
    """Episodes: searched from `PRUNING_SEED` on, verified on ``episodes`` seeds from ``seed`` on.

    Raises:
        InputError: the seeds reach into training's.
    """
    evaluation_seeds(episodes * verifications, seed)
    seeds = range(PRUNING_SEED, PRUNING_SEED + SEARCHED)

    def fresh(k: int) -> range:
        return evaluation_seeds(episodes, seed + k * episodes)

    return Ground(
        task,
        lambda controller: visited_in_closed_loop(task, controller, seeds[:LOOKED_AT])[0],
        (ClosedLoop(task, seeds[:QUICK]), ClosedLoop(task, seeds[QUICK:])),
        lambda k: ClosedLoop(task, fresh(k)),
        verifications,
        lambda k: f"seeds {fresh(k)[0]} to {fresh(k)[-1]}",
    )


def ground_of_recordings(data: Dataset) -> Ground:
    """Windows: searched on the validation split, verified once on the test split.

    Raises:
        InputError: there are too few validation windows to judge by.
    """
    validation = Recorded(data, data.validation.segments, MOST_WINDOWS)
    if validation.trials < QUICK:
        raise InputError(
            f"{validation.trials} validation windows are too few to prune by: at least {QUICK} are needed"
        )
    elsewhere = dataclasses.replace(data, test=data.validation)
    return Ground(
        data,
        lambda controller: visited_on_recordings(elsewhere, controller, most=MOST_WINDOWS),
        (validation,),
        lambda _: Recorded(data, data.test.segments, MOST_WINDOWS),
        1,
        lambda _: "test windows",
    )
