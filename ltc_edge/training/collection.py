"""What the student itself meets: episodes of its own closed loop, with care for those that it fails.

A controller that is nearly as good as its teacher loses little on most episodes and much on a few. Those are
what the mean return is lost in, and among a few episodes there may be none: more are played the rarer
they get, and those that were found are practised most, and played again until they are mastered.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ltc_edge.arrays import FloatArray, IntArray
from ltc_edge.evaluation.rollout import Episodes
from ltc_edge.export.calibration import Sequences
from ltc_edge.tasks.protocol import Task
from ltc_edge.training.practice import Lesson, Teacher, closed_loop
from ltc_edge.training.student import Student

TUNING_SEED = 600_000  # above evaluation's, calibration's and demonstrations', below validation's
SEEDS_OF_A_TUNING = 10_000

HARD = 0.1
"""Share of the teacher's mean return that the student loses on an episode that it fails."""

EMPHASIS = 20.0
"""How much more an episode is practised on which the whole mean return is lost."""

REMEMBERED = 64
"""Failed episodes that are played again, the worst first."""


@dataclass(frozen=True)
class CollectionOptions:
    """How much is played each round.

    Attributes:
        least, most: new episodes; see `Collector.collect`.
        least_steps: of all new episodes; more than the least are played where episodes are short.
        steps: length of each, at most.
        kept: episodes that are practised on.
    """

    least: int = 16
    most: int = 384
    least_steps: int = 12_800
    steps: int = 512
    kept: int = 48


class Collector:
    """Plays the student and its teacher on the same episodes.

    Args:
        task: to play.
        teacher: whom the student imitates.
        options: how much.
        seed: of the episodes and of those among them that are kept.
    """

    def __init__(self, task: Task, teacher: Teacher, options: CollectionOptions, seed: int) -> None:
        self._task = task
        self._teacher = teacher
        self._options = options
        self._seed = seed
        self._next_seed = TUNING_SEED + seed % 5 * SEEDS_OF_A_TUNING
        steps = min(options.steps, task.max_steps)
        self._least = min(max(options.least, options.least_steps // steps), options.most)
        self._size = min(4 * options.least, options.most)
        self._failed: dict[int, float] = {}  # seeds, and the teacher's returns on them

    def collect(self, student: Student, rng: np.random.Generator) -> tuple[Lesson, ...]:
        """Lessons of a round: what the student met, and what the teacher meets in the same episodes.

        Kept are the episodes with the greatest losses, and as many drawn from the new ones. Twice as many
        are played next time where some were failed but there is room for more, otherwise half as many.
        """
        new = range(self._next_seed, self._next_seed + self._size)
        self._next_seed += self._size
        theirs = closed_loop(self._task, self._teacher.policy(), new, self._options.steps)
        wanted = dict(zip(new, theirs.returns.tolist(), strict=True)) | self._failed
        own = closed_loop(self._task, student.policy(), list(wanted), self._options.steps)
        scale = max(abs(float(theirs.returns.mean())), 1e-9)
        lost = (np.array(list(wanted.values())) - own.returns) / scale
        self._remember(wanted, lost)
        half = self._options.kept // 2
        kept = np.union1d(np.argsort(-lost, kind="stable")[:half], rng.permutation(len(new))[:half])
        emphasis = 1.0 + EMPHASIS * np.clip(lost, 0.0, 1.0)
        # Failed ones come last; what the teacher does in them is a lesson already.
        known = kept[kept < len(new)]
        return (
            self._lesson(own, kept, emphasis[kept], "the student's loop"),
            self._lesson(theirs, known, emphasis[known], "the teacher's loop"),
        )

    def _remember(self, wanted: dict[int, float], lost: FloatArray) -> None:
        failed = lost > HARD
        order = [seed for seed, is_failed in zip(wanted, failed, strict=True) if is_failed]
        self._failed = {seed: wanted[seed] for seed in order[:REMEMBERED]}
        found = int(failed[: self._size].sum())
        grows = 0 < found < self._options.kept // 2
        size = 2 * self._size if grows else self._size // 2
        self._size = min(max(size, self._least), self._options.most)

    def _lesson(self, played: Episodes, rows: IntArray, emphasis: FloatArray, source: str) -> Lesson:
        sequences = Sequences(played.observation[rows], played.dt_s[rows], played.valid[rows], source)
        return self._teacher.lesson("loop", sequences, emphasis)
