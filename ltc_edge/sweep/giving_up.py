"""Training that is stopped where it is hopeless, and goes on from where it was interrupted."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ltc_edge.errors import ControllerFileError, OutputError
from ltc_edge.sweep.objectives import RETURN, Objective
from ltc_edge.sweep.stopwatch import OnProgress
from ltc_edge.training.loop import TrainingStoppedError
from ltc_edge.training.run_folder import RunFolder
from ltc_edge.training.session import Plan, Prepared, read_plan, resume_run, start_run

Record = Mapping[str, Any]
Curve = tuple[tuple[int, float], ...]


@dataclass(frozen=True)
class Hope:
    """What a run must show to go on.

    Attributes:
        metric: what validation gives.
        least: round → the least value at that round that is worth going on with; for a metric of which less
            is better, the greatest.
    """

    metric: Objective
    least: Mapping[int, float]

    @property
    def column(self) -> str:
        """The name of the metric in the records of a run."""
        return self.metric.name if self.metric is RETURN else f"validation_{self.metric.name}"

    def lost(self, record: Record) -> str | None:
        """Why a run is given up after the round of ``record``, in one line; None where it goes on."""
        index, value = record["round"], record[self.column]
        if value is None or index not in self.least or not self.metric.is_better(self.least[index], value):
            return None
        wanted = f"{self.least[index]:.6g} was the least worth going on with"
        return f"{self.metric.name} {value:.6g} after round {index + 1}, when {wanted}"

    def curve(self, records: Iterable[Record]) -> Curve:
        """Round and value of each record that has one."""
        return tuple((r["round"], r[self.column]) for r in records if r[self.column] is not None)


class Watch:
    """`Progress` of a run that stops where hope is lost."""

    def __init__(self, hope: Hope, on_progress: OnProgress) -> None:
        self._hope, self._on_progress = hope, on_progress
        self._rounds = 1

    def begin(self, rounds: int, completed: int) -> None:
        """See `Progress.begin`."""
        self._rounds = rounds
        self._on_progress("train", completed / rounds)

    def tick(self, index: int, share: float) -> None:
        """See `Progress.tick`."""
        self._on_progress("train", (index + share) / self._rounds)

    def record(self, record: Record) -> None:
        """See `Progress.record`."""
        reason = self._hope.lost(record)
        if reason is not None:
            raise TrainingStoppedError(reason)


def train(plan: Plan, prepared: Prepared, path: Path, hope: Hope, on_progress: OnProgress) -> None:
    """Train ``plan`` to its end in the folder ``path``, from wherever an earlier try was interrupted.

    The folder is one of ``ltc-edge train``, but for the picture of the learning curve.

    Raises:
        TrainingStoppedError: it is hopeless, now or already where it was interrupted; says why.
        TrainingDivergedError: a loss became non-finite.
        OutputError: the folder cannot be written.
    """
    folder, watch = RunFolder(path), Watch(hope, on_progress)
    if not _is_begun(plan, path):
        _clear(path)
        start_run(plan, path, watch, prepared=prepared, drawn=False)
        return
    for record in records_of(path):
        watch.record(record)
    if folder.summary() is None:
        resume_run(path, watch, subject=prepared.subject, drawn=False)


def records_of(path: Path) -> list[dict[str, Any]]:
    """What the rounds of the run in ``path`` reported; nothing where there was none.

    Raises:
        ControllerFileError: they are damaged.
    """
    checkpoint = RunFolder(path).checkpoint()
    if checkpoint is not None:  # the truth: what is newer is done again
        return checkpoint.history
    file = path / "metrics.jsonl"
    try:
        return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        raise ControllerFileError(f"{file}: is damaged ({error})") from None


def is_complete(plan: Plan, path: Path) -> bool:
    """Whether the run in ``path`` is one of ``plan``, and is over."""
    try:
        return RunFolder(path).summary() is not None and read_plan(path) == plan
    except ControllerFileError:
        return False


def _is_begun(plan: Plan, path: Path) -> bool:
    """Whether there is a run of ``plan`` that can go on, or is complete."""
    folder = RunFolder(path)
    try:
        return read_plan(path) == plan and (folder.summary() or folder.checkpoint()) is not None
    except ControllerFileError:
        return False


def _clear(path: Path) -> None:
    """Remove what is no use: a run that was killed before its first checkpoint, or of other settings."""
    try:
        shutil.rmtree(path)
    except FileNotFoundError:
        return
    except OSError as error:
        raise OutputError(f"{path}: cannot be replaced ({error.strerror or error})") from None
