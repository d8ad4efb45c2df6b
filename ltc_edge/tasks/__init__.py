"""Closed-loop tasks: plants, what their sensors see, and the experts that training imitates."""

from ltc_edge.tasks.protocol import HasActionValues, PlantBatch, Readings, Task
from ltc_edge.tasks.registry import TASKS, TaskSummary, make_task, task_names, task_summaries

__all__ = [
    "TASKS",
    "HasActionValues",
    "PlantBatch",
    "Readings",
    "Task",
    "TaskSummary",
    "make_task",
    "task_names",
    "task_summaries",
]
