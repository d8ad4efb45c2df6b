"""Fine-tuning: a controller that was changed, or will be in integers, learns to do again what it did before.

The teacher is the controller as it was trained. A student practises on what the teacher meets in closed
loop, on what the student itself meets there (as in DAgger: Ross, Gordon, Bagnell, AISTATS 2011), and on
made-up sensor values at irregular times, or on recordings where there is no loop.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch

from ltc_edge.arrays import FloatArray
from ltc_edge.controller import Controller
from ltc_edge.runtimes.reference import ReferenceBatch
from ltc_edge.tasks.protocol import Task
from ltc_edge.training.judgement import LEAST_ERROR, Judgement, Tuned
from ltc_edge.training.learner import Learner, cosine_rate
from ltc_edge.training.practice import WINDOW, Lesson, Teacher, as_sequences, closed_loop
from ltc_edge.training.quantization_aware import IntegerStudent
from ltc_edge.training.student import FloatStudent, Student

TUNING_SEED = 600_000  # above evaluation's, calibration's and demonstrations', below validation's
JUDGING_SEED = 650_000
JUDGED_EPISODES = 48


@dataclass(frozen=True)
class FinetuneOptions:
    """How long and how fast.

    Attributes:
        rounds: of practice; each starts by collecting, and ends with a judgement.
        updates: optimiser steps a round.
        learning_rate: of Adam at the start; it falls to a fiftieth by the last round (cosine).
        batch: windows of each kind of lesson that an update sees.
        episodes, episode_steps: the student plays each round.
        excitation: weight of made-up sensor values against that of what the controller meets.
        cautious: whether no kind of error may grow; see `Judgement.cautious_key`.
    """

    rounds: int = 16
    updates: int = 100
    learning_rate: float = 1e-2
    batch: int = 32
    episodes: int = 16
    episode_steps: int = 192
    excitation: float = 0.1
    cautious: bool = False


class Judge:
    """Measures students on what no practice sees.

    Args:
        teacher: whom they imitate.
        held_out: lessons to judge by.
        task: to play; None where there is no closed loop.
        episodes: how many.
    """

    def __init__(
        self,
        teacher: Teacher,
        held_out: tuple[Lesson, ...],
        task: Task | None,
        episodes: int = JUDGED_EPISODES,
    ) -> None:
        self._held_out = held_out
        self._task = task
        self._seeds = range(JUDGING_SEED, JUDGING_SEED + episodes)
        self._wanted: FloatArray | None = None
        if task is not None:
            policy = ReferenceBatch(teacher.controller)
            self._wanted = closed_loop(task, policy, self._seeds, task.max_steps).returns

    def judge(self, student: Student) -> Judgement:
        """The student as it is now."""
        errors: dict[str, float] = {}
        for lesson in self._held_out:
            found, _ = student.replay(lesson.sequences.observation, lesson.sequences.dt_s)
            sigma = np.maximum(lesson.sigma, 1e-9)
            errors[lesson.kind] = float((lesson.error(found) / sigma).max())
        lost = None
        if self._task is not None and self._wanted is not None:
            played = closed_loop(self._task, student.policy(), self._seeds, self._task.max_steps)
            scale = max(abs(float(self._wanted.mean())), 1e-9)
            lost = 100.0 * float((self._wanted - played.returns).mean()) / scale
        return Judgement(lost, errors)


class Practice:
    """The lessons of a fine-tuning, and how updates draw from them."""

    def __init__(self, teacher: Teacher, lessons: tuple[Lesson, ...], shares: Mapping[str, float]) -> None:
        self.teacher = teacher
        self._shares = shares
        self._lessons = list(lessons)
        self._weights: dict[str, FloatArray] = {}
        self._starts: list[FloatArray] = []

    def add(self, lesson: Lesson) -> None:
        """Practise on ``lesson`` too, from the next `prepare` on."""
        self._lessons.append(lesson)

    def prepare(self, student: Student) -> None:
        """Find the states that the student has where windows start, and weigh each kind of lesson anew.

        Its weight is the inverse of the error that the student still has there, so that what is nearly
        learnt counts as much as what is far off.
        """
        self._starts = []
        errors: dict[str, list[FloatArray]] = {}
        for lesson in self._lessons:
            found, states = student.replay(lesson.sequences.observation, lesson.sequences.dt_s)
            self._starts.append(states[:, ::WINDOW])
            least = np.maximum(LEAST_ERROR * lesson.sigma, 1e-12)
            errors.setdefault(lesson.kind, []).append(np.maximum(lesson.error(found), least))
        # By the first lesson of a kind, the teacher's: the student's own change with the student.
        self._weights = {kind: self._shares.get(kind, 1.0) / found[0] ** 2 for kind, found in errors.items()}

    def loss(self, student: Student, rng: np.random.Generator, batch: int) -> torch.Tensor:
        """Squared error of the student on windows of every kind of lesson, 1 for what it had at first."""
        parts = [part for kind in self._weights for part in self._windows(kind, rng, batch)]
        observation, dt_s, state, wanted, weight = (
            np.concatenate(column) for column in zip(*parts, strict=True)
        )
        actions = student.actions(observation, dt_s, state)
        difference = actions - torch.from_numpy(wanted).to(actions.dtype)
        scaled = torch.from_numpy(weight).to(actions.dtype) * difference**2
        mean: torch.Tensor = scaled.sum() / (batch * WINDOW * len(self._weights) * wanted.shape[2])
        return mean

    def _windows(
        self, kind: str, rng: np.random.Generator, batch: int
    ) -> list[tuple[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray]]:
        """``batch`` windows of ``kind``: observations, times, states, the teacher's actions, weights."""
        chosen = [index for index, lesson in enumerate(self._lessons) if lesson.kind == kind]
        used = [np.argwhere(self._lessons[index].sequences.valid[:, ::WINDOW]) for index in chosen]
        sizes = np.array([len(places) for places in used])
        drawn = rng.integers(0, sizes.sum(), size=batch)
        lesson_of = np.searchsorted(np.cumsum(sizes), drawn, side="right")
        parts = []
        for position, index in enumerate(chosen):
            own = drawn[lesson_of == position] - (np.cumsum(sizes)[position] - sizes[position])
            row, window = used[position][own].T
            lesson, steps = self._lessons[index], window[:, None] * WINDOW + np.arange(WINDOW)
            at = (row[:, None], steps)
            sequences = lesson.sequences
            weight = sequences.valid[at][..., None] * self._weights[kind]
            parts.append(
                (
                    sequences.observation[at],
                    sequences.dt_s[at],
                    self._starts[index][row, window],
                    lesson.action[at],
                    weight,
                )
            )
        return parts


def finetune(
    learner: Learner,
    student: Student,
    practice: Practice,
    judge: Judge,
    task: Task | None,
    options: FinetuneOptions,
    seed: int,
    on_share: Callable[[float], None] = lambda _: None,
) -> Tuned:
    """Let the student practise, and keep the best that it was.

    Args:
        learner: holds the student's network and its optimiser.
        student: how the network is computed: in floats or in integers.
        practice: lessons to begin with; what the student meets itself is added to them.
        judge: says which is best.
        task: where the student meets more; None where there is no closed loop.
        options: how long and how fast.
        seed: of windows and episodes.
        on_share: told the share that is done.

    Raises:
        TrainingDivergedError: the loss became non-finite.
    """
    before = best = judge.judge(student)
    kept = learner.controller()
    updates = 0
    for index in range(options.rounds):
        rng = np.random.default_rng([seed, index])
        if task is not None:
            first = TUNING_SEED + (seed % 40) * 1000 + index * options.episodes
            seeds = range(first, first + options.episodes)
            met = closed_loop(task, student.policy(), seeds, options.episode_steps)
            practice.add(practice.teacher.lesson("loop", as_sequences(met, "the student's loop")))
        practice.prepare(student)
        for update in range(options.updates):
            progress = (index + update / options.updates) / options.rounds
            loss = practice.loss(student, rng, options.batch)
            learner.update(loss, cosine_rate(options.learning_rate, progress))
            updates += 1
            on_share((index + (update + 1) / options.updates) / options.rounds)
        student.refresh()
        found = judge.judge(student)
        if _better(found, best, before, options):
            best, kept = found, learner.controller()
    return Tuned(kept, before, best, updates)


def _better(found: Judgement, best: Judgement, before: Judgement, options: FinetuneOptions) -> bool:
    if options.cautious:
        return found.cautious_key(before) < best.cautious_key(before)
    return found.key(before) < best.key(before)


GOALS = {
    "solver": FinetuneOptions(),
    "integers": FinetuneOptions(
        rounds=6, updates=60, learning_rate=5e-4, episodes=8, excitation=1.0, cautious=True
    ),
}
"""What fine-tuning may be for, and how it is then done."""


def finetune_phase(
    goal: str,
    controller: Controller,
    teacher: Teacher,
    lessons: tuple[Lesson, ...],
    judge: Judge,
    task: Task | None,
    seed: int,
    on_share: Callable[[float], None] = lambda _: None,
    options: FinetuneOptions | None = None,
) -> Tuned:
    """Fine-tune ``controller`` for one of the `GOALS`; see `finetune`.

    Raises:
        FormatRefusedError: the goal is integers, and the controller has no such form.
    """
    learner = Learner(controller)
    student: Student = FloatStudent(learner.network)
    if goal == "integers":
        student = IntegerStudent(learner.network, tuple(lesson.sequences for lesson in lessons))
    options = options or GOALS[goal]
    practice = Practice(teacher, lessons, {"excitation": options.excitation})
    return finetune(learner, student, practice, judge, task, options, seed, on_share)
