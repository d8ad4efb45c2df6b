"""What a controller practises on when it is fine-tuned for an export, and what it is judged by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ltc_edge.arrays import FloatArray
from ltc_edge.bundle.calibration import values_of
from ltc_edge.controller import Controller
from ltc_edge.errors import InputError
from ltc_edge.export.calibration import Sequences, excitation
from ltc_edge.logs import Dataset, Segment, windows
from ltc_edge.runtimes.reference import ReferenceBatch
from ltc_edge.tasks.protocol import Task
from ltc_edge.training.collection import TUNING_SEED
from ltc_edge.training.practice import Lesson, Teacher, as_sequences, closed_loop
from ltc_edge.verification.task_trial import Loaded

EPISODES, EPISODE_STEPS = 16, 192
EXCITED, EXCITED_STEPS = 48, 144
WINDOWS = 384
HELD_BACK = 0.2
"""Share of a recording, its end, that judges."""

LEAST_ROWS = 120

PRACTICE_SEED, JUDGING_SEED = 20_063, 20_064  # of made-up values; verification and calibration use others


@dataclass(frozen=True, eq=False)
class Lessons:
    """Lessons to practise on, and others to be judged by."""

    practice: tuple[Lesson, ...]
    held_out: tuple[Lesson, ...]


def make_lessons(teacher: Teacher, loaded: Loaded | None, recording: Sequences | None) -> Lessons:
    """Lessons from whatever there is: a task, recordings, or a recording of the user's.

    Raises:
        InputError: there is nothing that says what the controller will see.
    """
    controller = teacher.controller
    if recording is not None:
        usual = values_of(recording)
        pairs = [("recording", *_parted(recording))]
    elif isinstance(loaded, Dataset):
        usual = None
        pairs = [
            (
                "recording",
                _windows(loaded, loaded.train.segments),
                _windows(loaded, loaded.validation.segments),
            )
        ]
    elif loaded is not None:
        usual = None
        first, other = TUNING_SEED - 2000, TUNING_SEED - 1000
        pairs = [("loop", _loop(loaded, controller, first), _loop(loaded, controller, other))]
    else:
        raise InputError(
            "--finetune needs to know what the controller will see: name its run, or --task, or a recording "
            "with --calibration"
        )

    def made_up(seed: int) -> Sequences:
        return excitation(controller, sequences=EXCITED, steps=EXCITED_STEPS, seed=seed, about=usual)

    pairs.append(("excitation", made_up(PRACTICE_SEED), made_up(JUDGING_SEED)))
    return Lessons(
        tuple(teacher.lesson(kind, practised) for kind, practised, _ in pairs),
        tuple(teacher.lesson(kind, held) for kind, _, held in pairs),
    )


def _loop(task: Task, controller: Controller, first: int) -> Sequences:
    """What the teacher meets in its closed loop."""
    seeds = range(first, first + EPISODES)
    played = closed_loop(task, ReferenceBatch(controller), seeds, EPISODE_STEPS)
    return as_sequences(played, f"closed loop of {task.name}")


def _windows(data: Dataset, segments: tuple[Segment, ...]) -> Sequences:
    """Windows as the score has them: each from the reset."""
    cut = windows(segments, data.window_length, data.stride)
    every = max(1, len(cut) // WINDOWS)
    inputs, dt_s = cut.inputs[::every][:WINDOWS], cut.dt_s[::every][:WINDOWS]
    return Sequences(inputs, dt_s, np.ones(dt_s.shape, dtype=np.bool_), "recordings")


def _parted(recording: Sequences) -> tuple[Sequences, Sequences]:
    """The beginning, to practise on, and the end, each in pieces that start from the reset."""
    rows = int(recording.valid.sum())
    if rows < LEAST_ROWS:
        raise InputError(
            f"--calibration has {rows} rows, too few to fine-tune on: at least {LEAST_ROWS} are needed"
        )
    first = round((1.0 - HELD_BACK) * rows)
    return _pieces(recording, 0, first), _pieces(recording, first, rows)


def _pieces(recording: Sequences, start: int, stop: int) -> Sequences:
    """Rows of a recording, `EPISODE_STEPS` a piece; no more than `EPISODES` pieces, spread over all."""
    length = min(EPISODE_STEPS, stop - start)
    starts = np.arange(start, stop - length + 1, length)
    starts = starts[:: max(1, len(starts) // EPISODES)][:EPISODES]
    at = starts[:, None] + np.arange(length)
    dt_s: FloatArray = recording.dt_s[0][at]
    return Sequences(
        recording.observation[0][at], dt_s, np.ones(dt_s.shape, dtype=np.bool_), recording.source
    )
