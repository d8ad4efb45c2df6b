"""How a controller does on plants, and from starts, that its training never had.

Training plays plants of nominal parameters, from starts that a task draws. Here a shift takes one of the two
further out: the plant's parameters are off by a factor, or starts lie so many times as far from their middle.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ltc_edge.arrays import BoolArray, FloatArray
from ltc_edge.errors import InputError
from ltc_edge.evaluation.corruption.plants import VariedPlants
from ltc_edge.evaluation.corruption.scores import Score, Yardstick, score
from ltc_edge.evaluation.rollout import Policy, ZeroPolicy, open_plants, rollout
from ltc_edge.evaluation.side_by_side import SideBySide
from ltc_edge.tasks.checks import CheckedPlants
from ltc_edge.tasks.protocol import HasInitialSpread, HasPlantParameters, PlantBatch, Task

Axis = Literal["plant-parameters", "initial-states"]
AXES: tuple[Axis, ...] = ("plant-parameters", "initial-states")

LEVELS: dict[Axis, tuple[float, ...]] = {
    # Each parameter is multiplied or divided by the factor, drawn for each episode.
    "plant-parameters": (1.1, 1.25, 1.5, 2.0),
    # Of a box so many times as wide in n dimensions, the n-th power of its inverse is inside the old one.
    "initial-states": (1.5, 2.0, 3.0, 4.0),
}

HOPELESS = 0.5
"""Where the expert, which sees the full state, fails in more than this share of episodes, none is judged."""


@dataclass(frozen=True)
class Shift:
    """How far out, and along which axis; 1 is where training was."""

    axis: Axis
    level: float


SHIFTS = tuple(Shift(axis, level) for axis in AXES for level in LEVELS[axis])


class ShiftedTask:
    """``task`` with its plants or its starts further out; signals, rewards and expert are the task's.

    Raises:
        InputError: the task cannot be shifted so.
    """

    def __init__(self, task: Task, shift: Shift) -> None:
        if (reason := refusal(task, shift.axis)) is not None:
            raise InputError(reason)
        self._task, self._shift = task, shift
        self.name, self.summary = task.name, task.summary
        self.observations, self.actions = task.observations, task.actions
        self.period_s, self.dt_range_s = task.period_s, task.dt_range_s
        self.max_steps, self.reward_threshold = task.max_steps, task.reward_threshold

    def make_plants(self) -> PlantBatch:
        """Plants that are further out."""
        task, level = self._task, self._shift.level
        if self._shift.axis == "initial-states":
            assert isinstance(task, HasInitialSpread)
            return task.make_plants_spread(level)
        assert isinstance(task, HasPlantParameters)
        make = task.make_plants_off
        return VariedPlants(
            lambda factors: CheckedPlants(task, lambda: make(factors)), task.plant_parameters, level
        )

    def expert(self, privileged: FloatArray) -> FloatArray:
        """The task's expert, which sees the true state but knows the nominal plant alone."""
        return self._task.expert(privileged)


def refusal(task: Task, axis: Axis) -> str | None:
    """Why a task cannot be shifted along an axis; None where it can."""
    if axis == "initial-states":
        can, what = isinstance(task, HasInitialSpread), "make_plants_spread"
    else:
        can, what = isinstance(task, HasPlantParameters) and bool(task.plant_parameters), "make_plants_off"
    return None if can else f"{task.name} has no {axis} to shift; see {what} in docs/tasks.md"


@dataclass(frozen=True, eq=False)
class ShiftScore:
    """A controller under one shift.

    Attributes:
        shift: how far out.
        score: normalised by the expert and the zero controller under the very same shift.
        expert_failure_rate: of the expert's episodes.
    """

    shift: Shift
    score: Score
    expert_failure_rate: float

    @property
    def height(self) -> float | None:
        """The normalised return within 0 to 1; None where the shift says nothing, see `HOPELESS`."""
        if self.score.normalised is None or self.expert_failure_rate > HOPELESS:
            return None
        return float(np.clip(self.score.normalised, 0.0, 1.0))


@dataclass(frozen=True, eq=False)
class OutOfDistribution:
    """What became of one controller.

    Attributes:
        nominal: on the task as it was trained, normalised alike.
        shifts: in the order of `SHIFTS`, without axes that the task does not have.
    """

    nominal: Score
    shifts: tuple[ShiftScore, ...]

    def axis(self, axis: Axis) -> float | None:
        """Mean height over the levels of an axis; None where none says anything."""
        heights = [one.height for one in self.shifts if one.shift.axis == axis]
        said = [height for height in heights if height is not None]
        return float(np.mean(said)) if said else None

    @property
    def score(self) -> float | None:
        """Mean over the axes: 1 where it keeps up with the expert however far out, 0 for doing nothing."""
        axes = [value for axis in AXES if (value := self.axis(axis)) is not None]
        return float(np.mean(axes)) if axes else None


def out_of_distribution(
    task: Task, policies: Sequence[Policy], seeds: Sequence[int]
) -> tuple[OutOfDistribution, ...]:
    """Play every policy under every shift that the task can have, all on the same seeds.

    Raises:
        InputError: the task can have none.
        TaskError: the plant or the expert misbehaves.
    """
    shifts = [shift for shift in SHIFTS if refusal(task, shift.axis) is None]
    if not shifts:
        raise InputError("; ".join(str(refusal(task, axis)) for axis in AXES))
    nominal, nominal_scores, _ = _scores(task, policies, seeds)
    found = [_scores(ShiftedTask(task, shift), policies, seeds, nominal)[1:] for shift in shifts]
    return tuple(
        OutOfDistribution(
            own,
            tuple(
                ShiftScore(shift, scores[index], expert)
                for shift, (scores, expert) in zip(shifts, found, strict=True)
            ),
        )
        for index, own in enumerate(nominal_scores)
    )


def _scores(
    task: Task, policies: Sequence[Policy], seeds: Sequence[int], nominal: Yardstick | None = None
) -> tuple[Yardstick, list[Score], float]:
    """What this task's returns are measured by, every policy's score, and the expert's failure rate.

    What a failure is follows from the ends of episodes on the ``nominal`` task: there the expert succeeds.
    """
    expert, expert_ended = _play(task, None, seeds)
    zero, zero_ended = _play(task, ZeroPolicy(task), seeds)
    ends = (expert_ended, zero_ended) if nominal is None else (nominal.expert_ended, nominal.zero_ended)
    yardstick = Yardstick(expert, zero, *ends)
    together = SideBySide(policies)
    returns, ended = _play(task, together, together.seeds_for(seeds))
    each = zip(together.apart(returns), together.apart(ended), strict=True)
    rate = float(yardstick.failed(expert, expert_ended).mean())
    return yardstick, [score(own, own_ended, yardstick) for own, own_ended in each], rate


def _play(task: Task, policy: Policy | None, seeds: Sequence[int]) -> tuple[FloatArray, BoolArray]:
    """Returns ``(E,)``, and which episodes the plant ended before their longest ``(E,)``."""
    with open_plants(task) as plants:
        played = rollout(task, plants, policy, seeds)
    return played.returns, played.length < task.max_steps
