"""How far a controller's action can move when its readings do: a bracket over states it visits itself."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ltc_edge.controller import Controller
from ltc_edge.evaluation.lipschitz.bracket import lipschitz_brackets, steps_visited
from ltc_edge.evaluation.visited import Visited, visited_in_closed_loop, visited_on_recordings
from ltc_edge.logs import Dataset
from ltc_edge.tasks.protocol import Task

Figures = dict[str, Any]

RADIUS = 0.05
"""Of the box around a reading, in units of the normaliser: 5 % of what a channel usually moves."""
STEPS, BUDGET = 32, 8
EPISODES, MOST_STEPS, MOST_WINDOWS = 4, 200, 100


def in_closed_loop(task: Task, controller: Controller) -> Figures:
    """Along episodes of the task."""
    longest = min(MOST_STEPS, task.max_steps)
    visited, _ = visited_in_closed_loop(task, controller, range(EPISODES), max_steps=longest)
    return _bracket(controller, visited)


def on_recordings(data: Dataset, controller: Controller) -> Figures:
    """Along test windows."""
    return _bracket(controller, visited_on_recordings(data, controller, most=MOST_WINDOWS))


def _bracket(controller: Controller, visited: Visited) -> Figures:
    """Of a single step, from normalised observation to readout; worst and typical of the states drawn."""
    steps = steps_visited(controller, visited, length=1, count=STEPS, seed=0)
    found = lipschitz_brackets(controller, steps, RADIUS, budget=BUDGET)
    return {
        "radius": RADIUS,
        "steps": STEPS,
        "upper": _finite(found.upper.max()),
        "lower": _finite(found.lower.max()),
        "median_ratio": _finite(np.median(found.ratio)),
    }


def _finite(value: float) -> float | None:
    """None where nothing is known."""
    return float(value) if math.isfinite(value) else None
