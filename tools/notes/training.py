"""Training every cell on every subject from every seed, a run folder each."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ltc_edge.errors import InputError
from ltc_edge.logs import Dataset
from ltc_edge.training.options import CellKind
from ltc_edge.training.run_folder import RunFolder
from ltc_edge.training.session import Plan, read_plan, resume_run, start_run
from notes.contenders import CELLS, Contender, matched
from notes.subjects import Subject


@dataclass(frozen=True)
class Run:
    """One training of the campaign."""

    subject: Subject
    contender: Contender
    seed: int
    folder: Path

    @property
    def is_done(self) -> bool:
        """Whether it is trained."""
        return RunFolder(self.folder).summary() is not None

    @property
    def rounds(self) -> int:
        """How many rounds or epochs it took, once it is trained."""
        summary = RunFolder(self.folder).summary() or {}
        return int(summary["rounds"])


class Silent:
    """Progress that nobody watches."""

    def begin(self, rounds: int, completed: int) -> None:
        """Say nothing."""

    def tick(self, index: int, share: float) -> None:
        """Say nothing."""

    def record(self, record: Mapping[str, Any]) -> None:
        """Say nothing."""


def contenders(subject: Subject) -> dict[CellKind, Contender]:
    """The cells of ``subject``, matched in size."""
    loaded = subject.source.load()
    if not isinstance(loaded, tuple):
        return matched(subject.model, len(loaded.observations), len(loaded.actions))
    data: Dataset = loaded[0]
    outputs = len(data.classes) if data.kind == "classification" else len(data.target_names)
    return matched(subject.model, len(data.input_names), outputs)


def campaign(
    subjects: Sequence[Subject], seeds: Sequence[int], work: Path, cells: Sequence[CellKind] = CELLS
) -> Iterator[Run]:
    """All runs, seed by seed: what there is when it is cut short is of all subjects and cells."""
    networks = {one.name: contenders(one) for one in subjects}
    for seed in seeds:
        for subject in subjects:
            for cell in cells:
                folder = work / subject.name / f"{cell}-seed{seed}"
                yield Run(subject, networks[subject.name][cell], seed, folder)


def train(run: Run) -> None:
    """Train ``run``, or go on with it; where it is complete, only see that it is this run.

    Raises:
        InputError: the folder holds a run with other settings.
        LtcEdgeError: it cannot be trained.
    """
    plan = Plan(run.subject.source, run.subject.options, run.contender.model, seed=run.seed)
    if (run.folder / "config.json").is_file():
        if read_plan(run.folder) != plan:
            raise InputError(f"{run.folder}: was trained with other settings; use another work folder")
        if run.is_done:
            return
        summary = resume_run(run.folder, Silent())
    else:
        run.folder.parent.mkdir(parents=True, exist_ok=True)
        summary = start_run(plan, run.folder, Silent())
    say(
        f"{run.subject.name} {run.contender.cell} seed {run.seed}: "
        f"{summary['metric']} {summary['value']:.5g}, {summary['rounds']} rounds, {summary['seconds']:.0f} s"
    )


def say(message: str) -> None:
    """Tell the user, on standard error."""
    print(message, file=sys.stderr, flush=True)
