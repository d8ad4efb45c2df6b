"""What a closed-loop task must offer to be trained and evaluated on.

A task names its signals, makes plants and holds an expert. A plant is simulated in a batch of
independent episodes, stepped in lockstep: one call of the controller then serves all of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from ltc_edge.arrays import BoolArray, FloatArray
from ltc_edge.signals import ActionSignal, ObservationSignal


@dataclass(frozen=True)
class Readings:
    """What ``E`` plants report after a reset or a step.

    Attributes:
        observation: raw sensor values, shape ``(E, I)``.
        privileged: the full state that only the expert sees, shape ``(E, P)``.
        dt_s: seconds since the previous reading, shape ``(E,)``; after a reset the native period.
        reward: reward of the step just made, shape ``(E,)``; zero after a reset.
        terminated: the episode has ended by failure or success, shape ``(E,)``.
    """

    observation: FloatArray
    privileged: FloatArray
    dt_s: FloatArray
    reward: FloatArray
    terminated: BoolArray


class PlantBatch(Protocol):
    """``E`` independent plants, stepped in lockstep."""

    def reset(self, seeds: Sequence[int]) -> Readings:
        """Start ``E = len(seeds)`` new episodes; the same seed gives the same episode whatever the batch."""
        ...

    def step(self, action: FloatArray, active: BoolArray) -> Readings:
        """Apply ``action`` of shape ``(E, M)`` until the next reading.

        Rows where ``active``, shape ``(E,)``, is false belong to ended episodes: they are not
        stepped, and report zero reward.
        """
        ...

    def close(self) -> None:
        """Release what the simulators hold."""
        ...


class Task(Protocol):
    """A control problem: signals, plants, an expert.

    Attributes:
        name: as on the command line.
        summary: one line for ``ltc-edge tasks``.
        observations, actions: the signals, in order, with units and limits.
        period_s: native control period.
        dt_range_s: smallest and largest time between readings.
        max_steps: length of an episode that does not end by itself.
        reward_threshold: the mean return that counts as solved, where one is published.
    """

    name: str
    summary: str
    observations: tuple[ObservationSignal, ...]
    actions: tuple[ActionSignal, ...]
    period_s: float
    dt_range_s: tuple[float, float]
    max_steps: int
    reward_threshold: float | None

    def make_plants(self) -> PlantBatch:
        """A new plant batch, not yet reset."""
        ...

    def expert(self, privileged: FloatArray) -> FloatArray:
        """The expert's actions, shape ``(E, M)``, for privileged states of shape ``(E, P)``."""
        ...


@runtime_checkable
class HasActionValues(Protocol):
    """A task whose expert can price actions other than its own.

    Training then minimises what an action costs in the long run instead of its distance from the
    expert's (AggreVaTe, Ross & Bagnell 2014, arXiv 1406.5979): where two opposite actions are
    equally good, their mean is not.
    """

    def action_values(self, privileged: FloatArray) -> tuple[FloatArray, FloatArray]:
        """A grid of actions ``(K,)`` and the expected return of each, ``(E, K)``, then following the expert.

        Only for tasks with a single action signal.
        """
        ...


@runtime_checkable
class HasPlantParameters(Protocol):
    """A task whose plants can be made with physical parameters that are off.

    Attributes:
        plant_parameters: names of the parameters that nobody knows exactly on a real plant.
    """

    plant_parameters: tuple[str, ...]

    def make_plants_off(self, factors: Mapping[str, float]) -> PlantBatch:
        """As ``make_plants``, each parameter named times its factor; 1 leaves it to the last bit."""
        ...


@runtime_checkable
class HasInitialSpread(Protocol):
    """A task whose episodes can start further out than they do in training."""

    def make_plants_spread(self, spread: float) -> PlantBatch:
        """As ``make_plants``, but states at the start ``spread`` times as far from their middle.

        So are the references that a plant is to follow. 1 leaves them as they are, to the last bit.
        """
        ...


@runtime_checkable
class HasOtherPeriods(Protocol):
    """A task whose plants can be simulated in other steps than the native period."""

    def make_plants_every(self, period_s: float) -> PlantBatch:
        """As ``make_plants``, but each step lasts ``period_s``, for the physics and for the readings.

        Rewards stay those of a native period: a step earns its share of one, so that returns over the same
        stretch of time compare. The native period gives what ``make_plants`` does, to the last bit, where
        that is read regularly.
        """
        ...
