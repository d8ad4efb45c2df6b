"""A task of which one thing is corrupted: a task itself, that everything which plays tasks can play."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ltc_edge.arrays import FloatArray
from ltc_edge.evaluation.corruption.actuators import LaggedPlants
from ltc_edge.evaluation.corruption.pack import PACK
from ltc_edge.evaluation.corruption.plants import VariedPlants
from ltc_edge.evaluation.corruption.sensors import SENSORS, SensedPlants
from ltc_edge.evaluation.corruption.timing import SCHEDULES, TimedPlants
from ltc_edge.tasks.checks import CheckedPlants
from ltc_edge.tasks.protocol import HasPlantParameters, PlantBatch, Task


@dataclass(frozen=True)
class Corruption:
    """A kind at a severity from 1 to 5; 0 changes nothing, whatever the kind."""

    kind: str
    severity: int

    @property
    def level(self) -> float:
        """How much, in the kind's unit."""
        return PACK[self.kind].level(self.severity)


def refusal(task: Task, kind: str) -> str | None:
    """Why a task cannot have a kind of corruption; None where it can."""
    if kind != "plant-parameters" or (isinstance(task, HasPlantParameters) and task.plant_parameters):
        return None
    return f"{task.name} does not say what parameters its plant has; see plant_parameters in docs/tasks.md"


class CorruptedTask:
    """``task`` under a corruption, or as it is; its signals, rewards and expert are the task's.

    Args:
        task: the task.
        corruption: None for none.
        sigma: scale of each channel, ``(I,)``; see `channel_scales`.
    """

    def __init__(self, task: Task, corruption: Corruption | None, sigma: FloatArray) -> None:
        self._task, self._corruption, self._sigma = task, corruption, sigma
        self.name = task.name
        self.summary = task.summary
        self.observations = task.observations
        self.actions = task.actions
        self.period_s = task.period_s
        self.max_steps = task.max_steps
        self.reward_threshold = task.reward_threshold
        low, high = task.dt_range_s
        # The longest step of any schedule; shorter than native there is none.
        longest = max(np.ceil(PACK["sample-rate"].levels[-1]), 2.0)
        self.dt_range_s = (low, high * float(longest))
        self.plants: TimedPlants | None = None
        """Those that were made last, which know how their episodes ended."""

    def make_plants(self) -> PlantBatch:
        """The plants, behind what corrupts them."""
        self.plants = self._timed()
        return self.plants

    def expert(self, privileged: FloatArray) -> FloatArray:
        """The task's expert, which sees the true state."""
        return self._task.expert(privileged)

    def _timed(self) -> TimedPlants:
        task, periods = self._task, self._task.max_steps
        if self._corruption is None:
            return TimedPlants(CheckedPlants(task), periods)
        kind, level = self._corruption.kind, self._corruption.level
        if kind in SCHEDULES:
            return TimedPlants(CheckedPlants(task), periods, SCHEDULES[kind], level)
        return TimedPlants(self._changed(kind, level), periods)

    def _changed(self, kind: str, level: float) -> PlantBatch:
        task = self._task
        if kind in SENSORS:
            return SensedPlants(CheckedPlants(task), kind, level, self._sigma, task.max_steps)
        if kind == "actuator-lag":
            low, high = np.array([a.low for a in task.actions]), np.array([a.high for a in task.actions])
            return LaggedPlants(CheckedPlants(task), level, np.clip(np.zeros(len(low)), low, high))
        assert kind == "plant-parameters"
        assert isinstance(task, HasPlantParameters)
        make = task.make_plants_off
        return VariedPlants(
            lambda factors: CheckedPlants(task, lambda: make(factors)), task.plant_parameters, level
        )
