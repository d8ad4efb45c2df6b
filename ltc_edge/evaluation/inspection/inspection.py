"""Everything that is found out about a controller, gathered."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from ltc_edge.controller import Controller
from ltc_edge.evaluation.closed_loop import check_fit
from ltc_edge.evaluation.inspection.arena import Arena, ClosedLoop, Recorded
from ltc_edge.evaluation.inspection.drives import Drives, drives_of
from ltc_edge.evaluation.inspection.effects import Effects, cut_effects
from ltc_edge.evaluation.inspection.means import Means, means_of
from ltc_edge.evaluation.inspection.neurons import NeuronActivity, activity_of
from ltc_edge.evaluation.inspection.parts import Kind, parts_of
from ltc_edge.evaluation.visited import Visited, visited_in_closed_loop, visited_on_recordings
from ltc_edge.logs import Dataset
from ltc_edge.tasks.protocol import Task

OnStage = Callable[[str, float], None]

MOST_WINDOWS = 256
"""Windows of recordings that are looked at, spread over all."""


@dataclass(frozen=True, eq=False)
class Inspection:
    """A controller, looked into.

    Attributes:
        controller: the controller.
        visited: its episodes, or windows.
        means: of every part.
        neurons: what each neuron does.
        drives: which observation drives which action.
        effects: what cuts cost; empty where none were asked for.
        arena: what the cuts were tried on.
    """

    controller: Controller
    visited: Visited
    means: Means
    neurons: tuple[NeuronActivity, ...]
    drives: Drives
    effects: Effects
    arena: Arena


def inspect_task(
    task: Task,
    controller: Controller,
    seeds: Sequence[int],
    *,
    kinds: Collection[Kind] = tuple(Kind),
    on_stage: OnStage = lambda _, __: None,
) -> Inspection:
    """Look into ``controller`` as it plays ``task``; parts of ``kinds`` are cut.

    Raises:
        InputError: the controller does not fit the task.
        MissingExtraError: torch or scipy is not installed.
        TaskError: the plant misbehaves.
    """
    check_fit(task, controller)
    on_stage("episodes", 0.0)
    visited, _ = visited_in_closed_loop(task, controller, seeds)
    return _inspected(controller, visited, ClosedLoop(task, seeds), kinds, on_stage)


def inspect_recordings(
    data: Dataset,
    controller: Controller,
    *,
    kinds: Collection[Kind] = tuple(Kind),
    on_stage: OnStage = lambda _, __: None,
) -> Inspection:
    """Look into ``controller`` on the test windows of ``data``.

    Raises:
        MissingExtraError: torch or scipy is not installed.
    """
    visited = visited_on_recordings(data, controller, most=MOST_WINDOWS)
    arena = Recorded(data, data.test.segments, MOST_WINDOWS)
    return _inspected(controller, visited, arena, kinds, on_stage)


def _inspected(
    controller: Controller, visited: Visited, arena: Arena, kinds: Collection[Kind], on_stage: OnStage
) -> Inspection:
    means = means_of(controller, visited)
    on_stage("drives", 0.0)
    drives = drives_of(controller, visited, means)
    parts = [part for part in parts_of(controller) if part.kind in kinds]
    effects = cut_effects(arena, controller, means, parts, partial(on_stage, "cuts"))
    return Inspection(controller, visited, means, activity_of(controller, visited), drives, effects, arena)


def carrier(inspection: Inspection, observation: int) -> tuple[int, float] | None:
    """The neuron that most of an observation's drive goes through, and its share; motor neurons aside.

    None where every neuron is a motor neuron.
    """
    shares = inspection.drives.through[observation].copy()
    motor = [neuron.neuron.role == "motor" for neuron in inspection.neurons]
    shares[motor] = -np.inf
    neuron = int(shares.argmax())
    return None if np.isinf(shares[neuron]) else (neuron, float(shares[neuron]))
