"""What fine-tuning practises on: sequences of sensor values with the actions that a teacher takes there.

The teacher is the controller as it was trained. It needs no expert and no labels: on whatever it is
shown it says what it would do, from its own memory of that sequence.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch

from ltc_edge.arrays import FloatArray
from ltc_edge.controller import Controller
from ltc_edge.evaluation.rollout import Episodes, Policy, open_plants, rollout
from ltc_edge.export.calibration import Sequences
from ltc_edge.network import Network
from ltc_edge.runtimes.torch_runtime import TorchBatch
from ltc_edge.tasks.protocol import Task

WINDOW = 24
"""Steps of what an update sees; longer sequences are practised in windows, each from the student's state."""


@dataclass(frozen=True, eq=False)
class Lesson:
    """Sequences, and what the teacher does on them.

    Attributes:
        kind: lessons of one kind are weighed together: ``loop``, ``recording`` or ``excitation``.
        sequences: whose ``T`` is a multiple of `WINDOW`.
        action: the teacher's, ``(E, T, M)``, within its limits and before their slew is limited.
        emphasis: how often each sequence is practised against others of its kind, ``(E,)``.
    """

    kind: str
    sequences: Sequences
    action: FloatArray
    emphasis: FloatArray

    def joined(self, other: Lesson) -> Lesson:
        """These sequences, then those of another lesson of the kind."""
        mine, theirs = self.sequences, other.sequences
        sequences = Sequences(
            _stacked(mine.observation, theirs.observation),
            _stacked(mine.dt_s, theirs.dt_s, mode="edge"),  # zero would be no time, even where no step is
            _stacked(mine.valid, theirs.valid),
            mine.source,
        )
        emphasis = np.concatenate([self.emphasis, other.emphasis])
        return Lesson(self.kind, sequences, _stacked(self.action, other.action), emphasis)

    def error(self, found: FloatArray, first: int | None = None) -> FloatArray:
        """RMS error of actions ``(E, T, M)``, each channel ``(M,)``; of the ``first`` sequences or all."""
        difference = (found - self.action)[:first][self.sequences.valid[:first]]
        result: FloatArray = np.sqrt((difference**2).mean(axis=0))
        return result

    @property
    def sigma(self) -> FloatArray:
        """Standard deviation of the teacher's actions, ``(M,)``."""
        result: FloatArray = self.action[self.sequences.valid].std(axis=0)
        return result


class Teacher:
    """The controller as it was trained, in float64."""

    def __init__(self, controller: Controller) -> None:
        exact = {name: array.astype(np.float64) for name, array in controller.parameters.items()}
        self.controller = controller
        self._network = Network(dataclasses.replace(controller, parameters=exact))

    def policy(self) -> Policy:
        """The teacher, to act in closed loops."""
        return TorchBatch(self._network)

    @torch.no_grad()
    def lesson(self, kind: str, sequences: Sequences, emphasis: FloatArray | None = None) -> Lesson:
        """What the teacher does on ``sequences``; their ``emphasis`` is 1 where none is given."""
        whole = _whole_windows(sequences, self.controller.timing.period_s)
        readout, _ = self._network(torch.from_numpy(whole.observation), torch.from_numpy(whole.dt_s))
        action = self._network.actions(readout).numpy()
        emphasis = np.ones(len(whole.dt_s)) if emphasis is None else emphasis
        return Lesson(kind, whole, np.clip(action, *self.controller.limits), emphasis)


def closed_loop(task: Task, policy: Policy, seeds: Sequence[int], max_steps: int) -> Episodes:
    """Episodes of ``policy``, at most ``max_steps`` long."""
    with open_plants(task) as plants:
        return rollout(task, plants, policy, seeds, max_steps=min(task.max_steps, max_steps))


def as_sequences(episodes: Episodes, source: str) -> Sequences:
    """What the policy saw."""
    return Sequences(episodes.observation, episodes.dt_s, episodes.valid, source)


def _stacked(first: Any, second: Any, mode: Literal["constant", "edge"] = "constant") -> Any:
    """Arrays ``(E, T, ...)`` of two lengths one after the other, the shorter padded."""
    longest = max(first.shape[1], second.shape[1])
    missing = (((0, 0), (0, longest - a.shape[1]), *((0, 0),) * (a.ndim - 2)) for a in (first, second))
    padded = (np.pad(a, widths, mode=mode) for a, widths in zip((first, second), missing, strict=True))
    return np.concatenate(list(padded))


def _whole_windows(sequences: Sequences, period_s: float) -> Sequences:
    """Padded to whole windows, with values that disturb nothing where no step is."""
    missing = -sequences.dt_s.shape[1] % WINDOW
    valid = np.pad(sequences.valid, ((0, 0), (0, missing)))
    observation = np.pad(sequences.observation, ((0, 0), (0, missing), (0, 0)))
    dt_s = np.pad(sequences.dt_s, ((0, 0), (0, missing)))
    return Sequences(
        np.where(valid[..., None], observation, 0.0), np.where(valid, dt_s, period_s), valid, sequences.source
    )
