"""Where a controller goes: what it saw and held at every step of its task, in float64."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ltc_edge.arrays import BoolArray, FloatArray
from ltc_edge.controller import Controller
from ltc_edge.evaluation.rollout import Episodes, open_plants, rollout
from ltc_edge.logs import Dataset, windows
from ltc_edge.runtimes.reference import ReferenceBatch

if TYPE_CHECKING:
    from ltc_edge.tasks.protocol import Task


@dataclass(frozen=True, eq=False)
class Visited:
    """``E`` episodes, or windows of recordings, of ``T`` steps, shorter ones padded.

    Attributes:
        observation: raw sensor values, ``(E, T, I)``.
        dt_s: seconds before each observation, ``(E, T)``.
        state: the controller's state *before* each step, ``(E, T, S)``: what `ReferenceBatch` goes on from.
        action: what the step gave, ``(E, T, M)``.
        valid: which steps belong to their episode, ``(E, T)``.
    """

    observation: FloatArray
    dt_s: FloatArray
    state: FloatArray
    action: FloatArray
    valid: BoolArray

    def steps(self, count: int, seed: int) -> Visited:
        """At most ``count`` of the valid steps, drawn without replacement, as episodes of one step."""
        episode, step = np.nonzero(self.valid)
        drawn = np.random.default_rng(seed).permutation(len(episode))[:count]
        episode, step = episode[drawn], step[drawn]
        return Visited(
            self.observation[episode, step][:, None],
            self.dt_s[episode, step][:, None],
            self.state[episode, step][:, None],
            self.action[episode, step][:, None],
            self.valid[episode, step][:, None],
        )


class StateRecorder:
    """The float64 reference as a policy that remembers the state before every step."""

    def __init__(self, controller: Controller) -> None:
        self._batch = ReferenceBatch(controller)
        self._states: list[FloatArray] = []

    def reset(self, size: int) -> None:
        """Start ``size`` new episodes, and forget those before."""
        self._batch.reset(size)
        self._states = []

    def step(self, observation: FloatArray, dt_s: FloatArray) -> FloatArray:
        """One step of every episode."""
        self._states.append(self._batch.state)
        return self._batch.step(observation, dt_s)

    @property
    def states(self) -> FloatArray:
        """States before the steps so far, ``(E, T, S)``."""
        return np.stack(self._states, axis=1)


def visited_in_closed_loop(
    task: Task, controller: Controller, seeds: Sequence[int], *, max_steps: int | None = None
) -> tuple[Visited, Episodes]:
    """Where ``controller`` goes when it plays ``task``, and the episodes themselves.

    Raises:
        TaskError: the plant returns something unusable.
    """
    recorder = StateRecorder(controller)
    with open_plants(task) as plants:
        played = rollout(task, plants, recorder, seeds, max_steps=max_steps)
    visited = Visited(played.observation, played.dt_s, recorder.states, played.action, played.valid)
    return visited, played


def visited_on_recordings(data: Dataset, controller: Controller, *, most: int | None = None) -> Visited:
    """Where ``controller`` goes on the test windows of ``data``, or the first ``most`` of them."""
    cut = windows(data.test.segments, data.window_length, data.evaluation_stride)
    inputs, dt_s = cut.inputs[:most], cut.dt_s[:most]
    recorder = StateRecorder(controller)
    recorder.reset(len(inputs))
    action = np.stack([recorder.step(inputs[:, t], dt_s[:, t]) for t in range(inputs.shape[1])], axis=1)
    return Visited(inputs, dt_s, recorder.states, action, np.ones(dt_s.shape, dtype=np.bool_))
