"""Where the sensor values of a calibration come from: closed loops, recordings, a file of the user's."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ltc_edge.controller import Controller
from ltc_edge.errors import InputError
from ltc_edge.evaluation.rollout import open_plants, rollout
from ltc_edge.export.calibration import Sequences, excitation
from ltc_edge.export.program import Affine
from ltc_edge.logs import Dataset
from ltc_edge.logs.reading import read_recording
from ltc_edge.runtimes.reference import ReferenceBatch
from ltc_edge.tasks.protocol import Task

EPISODES, EPISODE_STEPS = 8, 500
FIRST_SEED = 400_000  # of calibration alone: evaluation draws below, training above
SEGMENTS, SEGMENT_ROWS = 16, 500
EXCITED, EXCITED_STEPS = 16, 250
EXCITATION_SEED = 20_062


def from_task(task: Task, controller: Controller) -> Sequences:
    """The controller in its closed loop, in float64."""
    with open_plants(task) as plants:
        seeds = range(FIRST_SEED, FIRST_SEED + EPISODES)
        played = rollout(
            task, plants, ReferenceBatch(controller), seeds, max_steps=min(task.max_steps, EPISODE_STEPS)
        )
    return Sequences(
        played.observation,
        played.dt_s,
        played.valid,
        f"closed loop of {task.name}, {EPISODES} episodes from seed {FIRST_SEED}",
    )


def from_dataset(data: Dataset) -> Sequences:
    """The training recordings, the first rows of segments spread over all of them."""
    segments = data.train.segments
    chosen = segments[:: max(1, len(segments) // SEGMENTS)][:SEGMENTS]
    return _padded(
        [(s.inputs[:SEGMENT_ROWS], s.dt_s[:SEGMENT_ROWS]) for s in chosen],
        f"training recordings, {len(chosen)} segments",
    )


def from_file(path: Path, controller: Controller, time: str | None) -> Sequences:
    """A recording with a column for each observation, in any order, and maybe one of the time.

    Raises:
        RecordingError: the file cannot be read, or lacks a column.
    """
    names = [signal.name for signal in controller.observations]
    recording = read_recording(path, names, time)
    period = controller.timing.period_s
    dt = np.full(recording.rows, period)
    if recording.time_s is not None:
        dt[1:] = np.diff(recording.time_s)
    return _padded([(recording.values, dt)], f"{path.name}, {recording.rows} rows")


def from_excitation(controller: Controller, about: Affine | None = None) -> Sequences:
    """Made-up values at irregular times: what keeps a range from being too narrow for its dt."""
    return excitation(controller, sequences=EXCITED, steps=EXCITED_STEPS, seed=EXCITATION_SEED, about=about)


def values_of(sequences: Sequences) -> Affine:
    """Mean and standard deviation of each channel of a recording; of one that stands still a small one."""
    values = sequences.observation[sequences.valid]
    mean = values.mean(axis=0)
    return Affine(mean, np.maximum(values.std(axis=0), 1e-3 * np.maximum(np.abs(mean), 1e-3)))


def _padded(parts: list[tuple[np.ndarray, np.ndarray]], source: str) -> Sequences:
    if not parts:
        raise InputError("there is nothing to calibrate with: the recordings hold no rows")
    longest = max(len(dt) for _, dt in parts)
    observation = np.zeros((len(parts), longest, parts[0][0].shape[1]))
    dt_s = np.ones((len(parts), longest))
    valid = np.zeros((len(parts), longest), dtype=np.bool_)
    for row, (values, dt) in enumerate(parts):
        observation[row, : len(dt)], dt_s[row, : len(dt)], valid[row, : len(dt)] = values, dt, True
    return Sequences(observation, dt_s, valid, source)
