"""What the zoo is to have: ``tools/zoo.toml``, read."""

from __future__ import annotations

import shlex
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ltc_edge.logs import LOG_TASKS
from ltc_edge.training.sources import LogTaskSource, SequenceSource, Source, TaskSource
from ltc_edge.zoo.entry import CELLS, SIZES, entry_name
from ltc_edge.zoo.index import Missing

FILE = Path(__file__).parents[1] / "zoo.toml"
DATA = "data"
"""Where a bundle of the zoo looks for recordings: in a folder of this name, wherever it is run."""


@dataclass(frozen=True)
class Wanted:
    """One entry to be made.

    Attributes:
        task, cell, size: what it is.
        options: of ``ltc-edge train``, by their names without dashes.
        seeds: of its trainings.
    """

    task: str
    cell: str
    size: str
    options: Mapping[str, Any]
    seeds: tuple[int, ...]

    @property
    def name(self) -> str:
        """What the entry is called."""
        return entry_name(self.task, self.cell, self.size)

    def run(self, work: Path, seed: int) -> Path:
        """Its run folder; with other options it is another."""
        options = "-".join(f"{name}{value}" for name, value in self.options.items())
        return work / "runs" / self.name / options / f"seed-{seed}"

    def arguments(self, seed: int, data: str, output: str) -> list[str]:
        """Of ``ltc-edge``: what trains it."""
        said = [
            ["--" + name] if value is True else [f"--{name}", str(value)]
            for name, value in self.options.items()
        ]
        recordings = ["--data-dir", data] if self.task in LOG_TASKS else []
        chosen = [word for words in said for word in words]
        return [
            "train",
            self.task,
            *recordings,
            "--cell",
            self.cell,
            *chosen,
            "--seed",
            str(seed),
            "-o",
            output,
        ]

    def command(self, seed: int) -> str:
        """What trains it, as people type it."""
        return shlex.join(["ltc-edge", *self.arguments(seed, DATA, "RUN")])

    def source(self, data: str = DATA) -> Source:
        """Its task or recordings."""
        if self.task in LOG_TASKS:
            return LogTaskSource(self.task, data)
        return TaskSource(self.task) if self.is_control else SequenceSource(self.task)

    @property
    def is_control(self) -> bool:
        """Whether it is for a control task, rather than for recordings or sequences."""
        from ltc_edge.tasks import task_names

        return self.task in task_names()


def read_wanted(path: Path = FILE) -> tuple[list[Wanted], list[Missing]]:
    """The entries in the order of the index, and the tasks that have none, with the reason."""
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    common = document.pop("cells")
    missing = [Missing(task, said["missing"]) for task, said in document.items() if "missing" in said]
    wanted = [
        Wanted(task, cell, size, {**common.get(cell, {}), **said[cell][size]}, tuple(said["seeds"]))
        for task, said in document.items()
        if "missing" not in said
        for cell in CELLS
        for size in SIZES
        if size in said.get(cell, {})
    ]
    return wanted, missing


def chosen(wanted: Sequence[Wanted], only: str) -> list[Wanted]:
    """Those whose names match a pattern."""
    return [entry for entry in wanted if Path(entry.name).match(only)]
