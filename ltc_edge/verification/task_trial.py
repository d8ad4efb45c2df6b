"""The task of a controller as a trial, where it can be run on this machine."""

from __future__ import annotations

from collections.abc import Callable

from ltc_edge.controller import Controller
from ltc_edge.errors import LtcEdgeError
from ltc_edge.evaluation.closed_loop import check_fit
from ltc_edge.evaluation.rollout import open_plants
from ltc_edge.logs import Dataset
from ltc_edge.tasks.protocol import Task
from ltc_edge.training.sources import ClosedLoopSource, Source
from ltc_edge.verification.closed_loop import ClosedLoopTrial
from ltc_edge.verification.scored import ScoreTrial

Loaded = Task | Dataset


def load_source(source: Source | None) -> tuple[Loaded | None, str | None]:
    """The task or recordings of ``source``, or one line that says why they are not here."""
    if source is None:
        return None, "no task is known for this controller (ltc-edge export names one with --task)"
    try:
        if isinstance(source, ClosedLoopSource):
            task = source.load()
            check_simulator(task)
            return task, None
        return source.load()[0], None
    except LtcEdgeError as error:
        return None, f"{source.name} cannot be run here: {error}"


def check_simulator(task: Task) -> None:
    """Start one episode: a task can be described without its simulator, but not played.

    Raises:
        MissingExtraError: the simulator is not installed.
        TaskError: the plant misbehaves.
    """
    with open_plants(task) as plants:
        plants.reset([0])


def task_trial(
    loaded: Loaded | None,
    controller: Controller,
    *,
    episodes: int,
    on_share: Callable[[float], None] = lambda _: None,
) -> ClosedLoopTrial | ScoreTrial | None:
    """The trial of a loaded task or of recordings.

    Raises:
        InputError: the controller's signals are not the task's.
    """
    if loaded is None:
        return None
    if isinstance(loaded, Dataset):
        return ScoreTrial(loaded, controller)
    check_fit(loaded, controller)
    return ClosedLoopTrial(loaded, controller, episodes=episodes, on_share=on_share)
