"""Closed loops: a policy drives a batch of plants, and everything is recorded."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from ltc_edge.arrays import BoolArray, FloatArray, IntArray
from ltc_edge.runtimes.stepper import Stepper
from ltc_edge.tasks.checks import CheckedPlants
from ltc_edge.tasks.protocol import Task


class Policy(Protocol):
    """A controller over ``E`` episodes at once."""

    def reset(self, size: int) -> None:
        """Start ``size`` new episodes."""
        ...

    def step(self, observation: FloatArray, dt_s: FloatArray) -> FloatArray:
        """Actions ``(E, M)`` for raw observations ``(E, I)``, ``dt_s`` ``(E,)`` seconds after the last."""
        ...


class StepperPolicy:
    """A policy of one `Stepper` that takes every episode's state in turn: any runtime, loaded once."""

    def __init__(self, stepper: Stepper) -> None:
        self._stepper = stepper
        self._held: list[Any] = []

    def reset(self, size: int) -> None:
        """Start ``size`` new episodes."""
        self._stepper.reset()
        self._held = [self._stepper.hold()] * size

    def step(self, observation: FloatArray, dt_s: FloatArray) -> FloatArray:
        """One step of every episode."""
        actions = []
        for index, (row, dt) in enumerate(zip(observation, dt_s.tolist(), strict=True)):
            self._stepper.resume(self._held[index])
            actions.append(self._stepper.step(row, dt))
            self._held[index] = self._stepper.hold()
        return np.stack(actions)


class ZeroPolicy:
    """The zero controller: every action zero, or as near as the limits allow."""

    def __init__(self, task: Task) -> None:
        low = np.array([signal.low for signal in task.actions])
        high = np.array([signal.high for signal in task.actions])
        self._action = np.clip(np.zeros(len(task.actions)), low, high)

    def reset(self, size: int) -> None:
        """Nothing to start."""

    def step(self, observation: FloatArray, dt_s: FloatArray) -> FloatArray:  # noqa: ARG002
        """The same action for every episode."""
        return np.tile(self._action, (len(observation), 1))


@dataclass(frozen=True, eq=False)
class Episodes:
    """``E`` recorded episodes, padded to ``T`` steps.

    Attributes:
        observation: what the policy saw, ``(E, T, I)``.
        dt_s: seconds before each observation, ``(E, T)``.
        privileged: the state the expert saw, ``(E, T, P)``.
        action: what the plant received, ``(E, T, M)``.
        expert_action: the expert's actions, ``(E, T, M)``; empty ``(E, T, 0)`` when it was not asked.
        reward: ``(E, T)``, zero after the end.
        length: steps in each episode, ``(E,)``.
    """

    observation: FloatArray
    dt_s: FloatArray
    privileged: FloatArray
    action: FloatArray
    expert_action: FloatArray
    reward: FloatArray
    length: IntArray

    @property
    def returns(self) -> FloatArray:
        """Sum of rewards of each episode, ``(E,)``."""
        total: FloatArray = self.reward.sum(axis=1)
        return total

    @property
    def valid(self) -> BoolArray:
        """Which steps belong to their episode, ``(E, T)``."""
        return np.arange(self.reward.shape[1])[None, :] < self.length[:, None]


Intervention = Callable[[FloatArray, FloatArray], FloatArray]
"""(policy's actions (E, M), expert's actions (E, M)) → what the plants receive (E, M)."""


@contextlib.contextmanager
def open_plants(task: Task) -> Iterator[CheckedPlants]:
    """The task's plants, checked at every step and closed at the end."""
    plants = CheckedPlants(task)
    try:
        yield plants
    finally:
        plants.close()


def rollout(
    task: Task,
    plants: CheckedPlants,
    policy: Policy | None,
    seeds: Sequence[int],
    *,
    ask_expert: bool = False,
    intervene: Intervention | None = None,
    max_steps: int | None = None,
    on_step: Callable[[int], None] | None = None,
) -> Episodes:
    """Play one episode a seed, all in lockstep.

    Args:
        task: the task.
        plants: plants of the task, from `open_plants`; reset here.
        policy: what acts, or None for the expert.
        seeds: one a episode.
        ask_expert: also record what the expert would have done.
        intervene: changes what the plants receive; needs the expert.
        max_steps: shorter episodes than the task's.
        on_step: called with the number of each step done.

    Raises:
        TaskError: the plant or the expert returns something unusable.
    """
    asks = ask_expert or policy is None or intervene is not None
    if policy is not None:
        policy.reset(len(seeds))
    readings = plants.reset(seeds)
    active = np.ones(len(seeds), dtype=np.bool_)
    columns: list[tuple[FloatArray, ...]] = []
    length = np.zeros(len(seeds), dtype=np.int64)
    for step in range(max_steps or task.max_steps):
        expert = plants.expert(readings.privileged) if asks else np.empty((len(seeds), 0))
        action = expert if policy is None else policy.step(readings.observation, readings.dt_s)
        if intervene is not None:
            action = intervene(action, expert)
        length += active
        following = plants.step(action, active)
        reward = np.where(active, following.reward, 0.0)
        columns.append((readings.observation, readings.dt_s, readings.privileged, action, expert, reward))
        active = active & ~following.terminated
        readings = following
        if on_step is not None:
            on_step(step)
        if not active.any():
            break
    observation, dt_s, privileged, action, expert, reward = (
        np.stack(column, axis=1) for column in zip(*columns, strict=True)
    )
    return Episodes(observation, dt_s, privileged, action, expert, reward, length)
