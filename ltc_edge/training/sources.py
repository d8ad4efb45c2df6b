"""What a run learns from, as data that the run folder can store and bring back."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, cast

from ltc_edge.errors import ControllerFileError, InputError
from ltc_edge.logs import LOG_TASKS, SEQUENCE_TASKS, Dataset, Kind, load_dataset
from ltc_edge.tasks import GymTask, Task, make_task
from ltc_edge.training.options import check_types

Units = tuple[Sequence[str], Sequence[str]]
"""Units of the inputs and of the targets."""


@dataclass(frozen=True)
class TaskSource:
    """A task by its name, or a user's own as ``module:attribute``."""

    kind: ClassVar[str] = "task"
    name: str
    sensors: str = "positions"

    def load(self) -> Task:
        """The task."""
        return make_task(self.name, self.sensors)


@dataclass(frozen=True)
class EnvironmentSource:
    """A Gymnasium environment with the user's expert; see `GymTask.from_environment`."""

    kind: ClassVar[str] = "environment"
    env: str
    expert: str
    period_s: float | None = None
    observe: tuple[int, ...] | None = None
    max_steps: int | None = None

    @property
    def name(self) -> str:
        """The environment's id."""
        return self.env

    def load(self) -> Task:
        """The task."""
        observe = None if self.observe is None else tuple(self.observe)
        return GymTask.from_environment(self.env, self.expert, self.period_s, observe, self.max_steps)


@dataclass(frozen=True)
class LogTaskSource:
    """A named task over published recordings in ``data_dir``."""

    kind: ClassVar[str] = "log_task"
    name: str
    data_dir: str

    def load(self) -> tuple[Dataset, Units | None]:
        """The recordings, and the units of inputs and targets."""
        if self.name not in LOG_TASKS:
            raise InputError(f"unknown recordings {self.name!r}: there are {', '.join(LOG_TASKS)}")
        task = LOG_TASKS[self.name]
        return task.load(self.data_dir), (task.input_units, task.target_units)


@dataclass(frozen=True)
class SequenceSource:
    """A named task over sequences that are drawn."""

    kind: ClassVar[str] = "sequences"
    name: str

    def load(self) -> tuple[Dataset, Units | None]:
        """The sequences; bits have no units."""
        if self.name not in SEQUENCE_TASKS:
            raise InputError(f"unknown sequences {self.name!r}: there are {', '.join(SEQUENCE_TASKS)}")
        return SEQUENCE_TASKS[self.name].load(), None


@dataclass(frozen=True)
class RecordingsSource:
    """The user's own recordings; see `load_dataset`."""

    kind: ClassVar[str] = "recordings"
    data: tuple[str, ...]
    inputs: str
    targets: str
    time: str | None = None
    target_kind: Kind | None = None
    validation: tuple[str, ...] = ()
    test: tuple[str, ...] = ()
    window_length: int = 32
    stride: int | None = None
    period_s: float | None = None

    @property
    def name(self) -> str:
        """What the controller is called."""
        return self.targets.replace(",", "-").replace(":", "-")

    def load(self) -> tuple[Dataset, Units | None]:
        """The recordings; their units are unknown."""
        data = load_dataset(
            self.data,
            self.inputs,
            self.targets,
            time=self.time,
            kind=self.target_kind,
            validation=self.validation,
            test=self.test,
            window_length=self.window_length,
            stride=self.stride,
            period_s=self.period_s,
        )
        return data, None


ClosedLoopSource = TaskSource | EnvironmentSource
DataSource = LogTaskSource | SequenceSource | RecordingsSource
Source = ClosedLoopSource | DataSource

_BY_KIND: dict[str, type[Source]] = {
    source.kind: source
    for source in (TaskSource, EnvironmentSource, LogTaskSource, SequenceSource, RecordingsSource)
}


def source_to_json(source: Source) -> dict[str, Any]:
    """A JSON document from which `source_from_json` makes an equal source."""
    return {"kind": source.kind, **dataclasses.asdict(source)}


def source_from_json(document: Mapping[str, Any], where: Path) -> Source:
    """The source that `source_to_json` wrote.

    Raises:
        ControllerFileError: the document, from the file ``where``, describes no known source.
        InputError: a field is not of its type.
    """
    fields = dict(document)
    kind = _BY_KIND.get(cast(str, fields.pop("kind", None)))
    if kind is None or fields.keys() != {field.name for field in dataclasses.fields(kind)}:
        raise ControllerFileError(
            f"{where}: the source of the run is unreadable; was it made by a newer version?"
        )
    # JSON has no tuples.
    values: dict[str, Any] = {n: tuple(v) if isinstance(v, list) else v for n, v in fields.items()}
    check_types(kind, values)
    make: Callable[..., Source] = kind
    return make(**values)
