"""How updates draw from lessons: windows, each from the state that the student has there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch

from ltc_edge.arrays import BoolArray, FloatArray
from ltc_edge.training.judgement import LEAST_ERROR
from ltc_edge.training.practice import WINDOW, Lesson
from ltc_edge.training.student import Student


@dataclass(frozen=True, eq=False)
class Windows:
    """The ``N`` windows of one kind of lesson.

    Attributes:
        observation, dt_s, valid, action: as in `Sequences` and `Lesson`, ``(N, WINDOW, ...)``.
        state: the student's where each begins, ``(N, S)``.
        reach: emphasis, summed up to each, 1 at the last, ``(N,)``.
        weight: of a squared error, each channel ``(M,)``.
    """

    observation: FloatArray
    dt_s: FloatArray
    valid: BoolArray
    action: FloatArray
    state: FloatArray
    reach: FloatArray
    weight: FloatArray

    def draw(self, rng: np.random.Generator, size: int) -> tuple[FloatArray, ...]:
        """``size`` windows: observations, times, states, actions, and what a squared error counts."""
        drawn = np.searchsorted(self.reach, rng.random(size), side="right").clip(max=len(self.reach) - 1)
        action = self.action[drawn]
        weight = self.valid[drawn][..., None] * self.weight / action.size
        return self.observation[drawn], self.dt_s[drawn], self.state[drawn], action, weight


class Practice:
    """The lessons of a fine-tuning.

    Args:
        lessons: to begin with.
        shares: how much a kind of lesson counts against the others; 1 where it is not named. Of what counts
            less, fewer windows are drawn.
    """

    def __init__(self, lessons: tuple[Lesson, ...], shares: Mapping[str, float]) -> None:
        self._shares = shares
        self._lessons: dict[str, Lesson] = {}
        self._begun: dict[str, int] = {}
        self._windows: dict[str, Windows] = {}
        for lesson in lessons:
            self.add(lesson)

    def add(self, lesson: Lesson) -> None:
        """Practise on ``lesson`` too, from the next `prepare` on."""
        known = self._lessons.get(lesson.kind)
        self._begun.setdefault(lesson.kind, len(lesson.emphasis))
        self._lessons[lesson.kind] = lesson if known is None else known.joined(lesson)

    def prepare(self, student: Student) -> None:
        """Find the states that the student has where windows start, and weigh each kind of lesson anew.

        Its weight is the inverse of the error that the student still has there, so that what is nearly
        learnt counts as much as what is far off.
        """
        for kind, lesson in self._lessons.items():
            found, states = student.replay(lesson.sequences.observation, lesson.sequences.dt_s)
            # By those it began with, the teacher's: the student's own change with the student.
            error = lesson.error(found, self._begun[kind])
            least = np.maximum(LEAST_ERROR * lesson.sigma, 1e-12)
            weight = self._shares.get(kind, 1.0) / np.maximum(error, least) ** 2
            self._windows[kind] = _windows(lesson, states, weight)

    def loss(self, student: Student, rng: np.random.Generator, batch: int) -> torch.Tensor:
        """Squared error of the student on windows of every kind of lesson, 1 for what it had at first."""
        parts = [
            windows.draw(rng, max(round(batch * min(self._shares.get(kind, 1.0) ** 0.5, 1.0)), 1))
            for kind, windows in self._windows.items()
        ]
        observation, dt_s, state, wanted, weight = (
            np.concatenate(column) for column in zip(*parts, strict=True)
        )
        actions = student.actions(observation, dt_s, state)
        difference = actions - torch.from_numpy(wanted).to(actions.dtype)
        total: torch.Tensor = (torch.from_numpy(weight).to(actions.dtype) * difference**2).sum()
        return total / len(parts)


def _windows(lesson: Lesson, states: FloatArray, weight: FloatArray) -> Windows:
    """The windows of ``lesson`` that hold a step, each with the student's state before it."""
    sequences = lesson.sequences
    used = sequences.valid[:, ::WINDOW].ravel()

    def cut(values: FloatArray) -> FloatArray:
        windows: FloatArray = values.reshape(-1, WINDOW, *values.shape[2:])[used]
        return windows

    emphasis = np.repeat(lesson.emphasis, sequences.valid.shape[1] // WINDOW)[used]
    return Windows(
        cut(sequences.observation),
        cut(sequences.dt_s),
        sequences.valid.reshape(-1, WINDOW)[used],
        cut(lesson.action),
        states[:, ::WINDOW].reshape(len(used), -1)[used],
        np.cumsum(emphasis / emphasis.sum()),
        weight,
    )
