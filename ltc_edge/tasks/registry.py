"""The built-in tasks by name.

Listing them builds no expert and imports no simulator.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ltc_edge.errors import TaskError
from ltc_edge.tasks.cartpole import CartPole
from ltc_edge.tasks.dc_motor import DcMotor
from ltc_edge.tasks.inverted_double_pendulum import InvertedDoublePendulum
from ltc_edge.tasks.inverted_pendulum import InvertedPendulum
from ltc_edge.tasks.loading import load_task
from ltc_edge.tasks.mountain_car import MountainCar
from ltc_edge.tasks.pendulum import Pendulum
from ltc_edge.tasks.protocol import Task

_BUILT_IN = (
    InvertedDoublePendulum,
    InvertedPendulum,
    Pendulum,
    CartPole,
    MountainCar,
    DcMotor,
)

TASKS: Mapping[str, Callable[[str], Task]] = MappingProxyType({task.name: task for task in _BUILT_IN})


@dataclass(frozen=True)
class TaskSummary:
    """A line of ``ltc-edge tasks``."""

    name: str
    summary: str
    period_s: float


def task_names() -> tuple[str, ...]:
    """The built-in tasks, in the order of the documentation."""
    return tuple(TASKS)


def task_summaries() -> tuple[TaskSummary, ...]:
    """What ``ltc-edge tasks`` shows; needs no extra."""
    return tuple(TaskSummary(task.name, task.summary, task.period_s) for task in _BUILT_IN)


def make_task(name: str, sensors: str = "positions") -> Task:
    """The built-in task ``name``, or the user's that ``package.module:attribute`` names.

    ``sensors`` is ``positions`` (velocities hidden) or ``full``; a user's task has its own.

    Raises:
        TaskError: no such task, or no such sensors, or what is loaded is no task.
    """
    if ":" in name:
        if sensors != "positions":
            raise TaskError(f"{name}: sensors can be chosen for built-in tasks only, not {sensors!r} here")
        return load_task(name)
    if name not in TASKS:
        nearest = difflib.get_close_matches(name, TASKS, n=1)
        hint = f"did you mean {nearest[0]!r}? " if nearest else ""
        raise TaskError(f"unknown task {name!r}: {hint}`ltc-edge tasks` lists them")
    return TASKS[name](sensors)
