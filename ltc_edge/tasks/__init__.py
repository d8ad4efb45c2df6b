"""Closed-loop tasks: plants, what their sensors see, and the experts that training imitates."""

from ltc_edge.tasks.checks import CheckedPlants, check_readings, check_task, expert_actions
from ltc_edge.tasks.environment import GymTask
from ltc_edge.tasks.loading import load_object, load_task
from ltc_edge.tasks.protocol import (
    HasActionValues,
    HasInitialSpread,
    HasOtherPeriods,
    HasPlantParameters,
    PlantBatch,
    Readings,
    Task,
)
from ltc_edge.tasks.registry import TASKS, TaskSummary, make_task, task_names, task_summaries

__all__ = [
    "TASKS",
    "CheckedPlants",
    "GymTask",
    "HasActionValues",
    "HasInitialSpread",
    "HasOtherPeriods",
    "HasPlantParameters",
    "PlantBatch",
    "Readings",
    "Task",
    "TaskSummary",
    "check_readings",
    "check_task",
    "expert_actions",
    "load_object",
    "load_task",
    "make_task",
    "task_names",
    "task_summaries",
]
