"""Fine-tuning: a controller that was changed, or will be in integers, learns to do again what it did before.

The teacher is the controller as it was trained. A student practises on what the teacher meets in closed
loop, on what the student itself meets there (as in DAgger: Ross, Gordon, Bagnell, AISTATS 2011), and on
made-up sensor values at irregular times, or on recordings where there is no loop.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from ltc_edge.arrays import FloatArray
from ltc_edge.controller import Controller
from ltc_edge.export.calibration import Sequences
from ltc_edge.export.rounding_noise import rounding_error
from ltc_edge.tasks.protocol import Task
from ltc_edge.training.collection import CollectionOptions, Collector
from ltc_edge.training.judgement import Judgement, Tuned
from ltc_edge.training.learner import Learner, cosine_rate
from ltc_edge.training.practice import Lesson, Teacher, closed_loop
from ltc_edge.training.quantization_aware import IntegerStudent
from ltc_edge.training.rehearsal import Practice
from ltc_edge.training.representable import Representable
from ltc_edge.training.student import FloatStudent, Student

JUDGING_SEED = 650_000
LEAST_JUDGED, MOST_JUDGED, JUDGED_STEPS = 48, 240, 48_000
"""Episodes that judge: as many as have these steps, between the least and the most."""

MOST_NOISE = 0.9
"""Integers are not trained where more of the error than this is noise, by every kind of lesson."""


@dataclass(frozen=True)
class FinetuneOptions:
    """How long and how fast.

    Attributes:
        rounds: of practice; each starts by collecting.
        judged: the last rounds, which end with a judgement; the rate is too high before.
        updates: optimiser steps a round.
        learning_rate: of Adam at the start; it falls to a fiftieth by the last round (cosine).
        batch: windows of each kind of lesson that an update sees.
        collection: what is played each round.
        excitation: weight of made-up sensor values against that of what the controller meets.
        cautious: whether no kind of error may grow; see `Judgement.cautious_key`.
    """

    rounds: int = 20
    judged: int = 6
    updates: int = 300
    learning_rate: float = 1e-2
    batch: int = 160
    collection: CollectionOptions = field(default_factory=CollectionOptions)
    excitation: float = 0.1
    cautious: bool = False


class Judge:
    """Measures students on what no practice sees.

    Args:
        teacher: whom they imitate.
        held_out: lessons to judge by.
        task: to play; None where there is no closed loop.
    """

    def __init__(self, teacher: Teacher, held_out: tuple[Lesson, ...], task: Task | None) -> None:
        self._held_out = held_out
        self._task = task
        self._seeds = range(0)
        self._wanted: FloatArray = np.empty(0)
        if task is not None:
            episodes = int(np.clip(JUDGED_STEPS // task.max_steps, LEAST_JUDGED, MOST_JUDGED))
            self._seeds = range(JUDGING_SEED, JUDGING_SEED + episodes)
            self._wanted = closed_loop(task, teacher.policy(), self._seeds, task.max_steps).returns

    def judge(self, student: Student) -> Judgement:
        """The student as it is now."""
        errors: dict[str, float] = {}
        for lesson in self._held_out:
            found, _ = student.replay(lesson.sequences.observation, lesson.sequences.dt_s)
            sigma = np.maximum(lesson.sigma, 1e-9)
            errors[lesson.kind] = float((lesson.error(found) / sigma).max())
        if self._task is None:
            return Judgement(None, errors)
        played = closed_loop(self._task, student.policy(), self._seeds, self._task.max_steps)
        scale = max(abs(float(self._wanted.mean())), 1e-9)
        lost = 100.0 * (self._wanted - played.returns) / scale
        return Judgement(float(lost.mean()), errors, float(lost.std() / np.sqrt(len(lost))))

    def noise(self, student: IntegerStudent) -> dict[str, float]:
        """What of the student's errors is noise of its 16-bit grid, by kind, over σ."""
        controller, quantized = student.network.controller(), student.quantized()
        return {
            lesson.kind: rounding_error(controller, quantized, lesson.sequences).noise
            for lesson in self._held_out
        }


def finetune(
    learner: Learner,
    student: Student,
    practice: Practice,
    judge: Judge,
    collector: Collector | None,
    options: FinetuneOptions,
    seed: int,
    on_share: Callable[[float], None] = lambda _: None,
) -> Tuned:
    """Let the student practise, and keep the best that it was.

    Integers whose error is noise do not practise: no weights would be better.

    Args:
        learner: holds the student's network and its optimiser.
        student: how the network is computed: in floats or in integers.
        practice: lessons to begin with; what the student meets itself is added to them.
        judge: says which is best.
        collector: plays what the student meets; None where there is no closed loop.
        options: how long and how fast.
        seed: of windows and episodes.
        on_share: told the share that is done.

    Raises:
        TrainingDivergedError: the loss became non-finite.
    """
    before = best = judge.judge(student)
    kept = learner.controller()
    noise = judge.noise(student) if isinstance(student, IntegerStudent) else None
    if noise is not None and _is_noise(before.errors, noise):
        return Tuned(kept, before, before, 0, noise)
    representable = Representable(learner.network)
    updates = 0
    for index in range(options.rounds):
        rng = np.random.default_rng([seed, index])
        if collector is not None:
            for lesson in collector.collect(student, rng):
                practice.add(lesson)
        practice.prepare(student)
        for update in range(options.updates):
            progress = (index + update / options.updates) / options.rounds
            loss = practice.loss(student, rng, options.batch)
            learner.update(loss, cosine_rate(options.learning_rate, progress))
            representable.project()
            updates += 1
            on_share((index + (update + 1) / options.updates) / options.rounds)
        student.refresh()
        if index < options.rounds - options.judged:
            continue
        found = judge.judge(student)
        if _better(found, best, before, options):
            best, kept = found, learner.controller()
    return Tuned(kept, before, best, updates, noise)


def _better(found: Judgement, best: Judgement, before: Judgement, options: FinetuneOptions) -> bool:
    if options.cautious:
        return found.cautious_key(before) < best.cautious_key(before)
    return found.key(before) < best.key(before)


GOALS = {
    "solver": FinetuneOptions(),
    "integers": FinetuneOptions(
        rounds=6,
        updates=60,
        learning_rate=5e-4,
        batch=32,
        collection=CollectionOptions(least=8, most=8, steps=192, kept=16),
        excitation=1.0,
        cautious=True,
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
    calibration: tuple[Sequences, ...] | None = None,
) -> Tuned:
    """Fine-tune ``controller`` for one of the `GOALS`; see `finetune`.

    Integers are made by ``calibration``: another one rounds weights in another way, and what was learnt
    about these would be lost. None for the lessons.

    Raises:
        FormatRefusedError: the goal is integers, and the controller has no such form.
    """
    learner = Learner(controller)
    student: Student = FloatStudent(learner.network)
    if goal == "integers":
        calibration = calibration or tuple(lesson.sequences for lesson in lessons)
        student = IntegerStudent(learner.network, calibration)
    options = options or GOALS[goal]
    practice = Practice(lessons, {"excitation": options.excitation})
    collector = None if task is None else Collector(task, teacher, options.collection, seed)
    return finetune(learner, student, practice, judge, collector, options, seed, on_share)


def _is_noise(errors: Mapping[str, float], noise: Mapping[str, float]) -> bool:
    return all(noise[kind] >= MOST_NOISE * error for kind, error in errors.items())
