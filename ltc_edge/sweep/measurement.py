"""What is measured of every trial of a sweep, and how: plain data that travels with the work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ltc_edge.errors import ControllerFileError, InputError
from ltc_edge.logs import LOG_TASKS, SEQUENCE_TASKS
from ltc_edge.sweep.budget import Budget, read_budget
from ltc_edge.sweep.objectives import OBJECTIVES, RETURN, TASK_METRICS, Objective, find_objective
from ltc_edge.training.choose import METHOD_OPTIONS, MODEL_FIELDS, plan_for
from ltc_edge.training.session import Plan
from ltc_edge.training.sources import ClosedLoopSource, Source, source_from_json, source_to_json

EPISODES = 20
TARGET = "cortex-m4"
DEVICE = "local"


@dataclass(frozen=True)
class MeasurementPlan:
    """What is measured, and how.

    Attributes:
        source: task or recordings: what every trial is trained on.
        training: options of the method that all trials share, of `METHOD_OPTIONS`; others are the task's.
        objectives: names of the figures that are searched for.
        budget: what must be kept.
        target: processor that instructions and sizes are of.
        device: where ``p99_us`` is timed: ``local`` or ``ssh://…``.
        episodes: of a closed loop.
        proxy: whether estimates take the place of compilers and emulators; see docs/sweep-objectives.md.

    Raises:
        InputError: a figure is not one of the source's.
    """

    source: Source
    training: Mapping[str, Any] = field(default_factory=dict)
    objectives: tuple[str, ...] = (RETURN.name, "instructions", "error")
    budget: Budget = field(default_factory=Budget)
    target: str = TARGET
    device: str = DEVICE
    episodes: int = EPISODES
    proxy: bool = False

    def __post_init__(self) -> None:
        unknown = self.training.keys() - set(METHOD_OPTIONS)
        if unknown:
            raise InputError(f"{', '.join(sorted(unknown))} cannot be the same for all trials of a sweep")
        for name in self.wanted:
            find_objective(name, "--objectives")
            self._refuse_foreign(name)

    @property
    def wanted(self) -> frozenset[str]:
        """The figures that are searched for or budgeted."""
        return frozenset((*self.objectives, *self.budget.names))

    @property
    def metric(self) -> Objective:
        """What says how well a controller does: the return, or the metric of the recordings."""
        return OBJECTIVES[metric_of(self.source)]

    def training_plan(self, settings: Mapping[str, Any], seed: int) -> Plan:
        """What to train for the ``settings`` of a trial; one thread, as the workers are many.

        Raises:
            InputError: the settings do not fit together.
        """
        said = {name: value for name, value in settings.items() if name in (*MODEL_FIELDS, *METHOD_OPTIONS)}
        return plan_for(self.source, {**self.training, **said}, seed)

    def to_json(self) -> dict[str, Any]:
        """A JSON document from which `from_json` makes an equal plan."""
        return {
            "source": source_to_json(self.source),
            "training": dict(self.training),
            "objectives": list(self.objectives),
            "budget": str(self.budget),
            "target": self.target,
            "device": self.device,
            "episodes": self.episodes,
            "proxy": self.proxy,
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any], where: Path = Path("sweep.json")) -> MeasurementPlan:
        """The plan that `to_json` wrote into ``where``.

        Raises:
            ControllerFileError: it is something else.
        """
        try:
            return cls(
                source=source_from_json(document["source"], where),
                training=dict(document["training"]),
                objectives=tuple(map(str, document["objectives"])),
                budget=read_budget(document["budget"]) if document["budget"] else Budget(),
                target=str(document["target"]),
                device=str(document["device"]),
                episodes=int(document["episodes"]),
                proxy=bool(document["proxy"]),
            )
        except ControllerFileError:
            raise
        except (InputError, KeyError, TypeError, ValueError, AttributeError) as error:
            raise ControllerFileError(f"{where}: what is to be measured is unreadable ({error})") from None

    def _refuse_foreign(self, name: str) -> None:
        """Refuse a figure that the source does not have."""
        metric = self.metric.name
        if name in TASK_METRICS and name != metric:
            raise InputError(f"{self.source.name} has no {name}; how well it is done is its {metric}")
        if name == "corruption" and not isinstance(self.source, ClosedLoopSource):
            raise InputError(f"{self.source.name} has no closed loop, and so no corruption; leave it out")


def metric_of(source: Source) -> str:
    """The name of the figure that says how well a controller of ``source`` does.

    Raises:
        InputError: recordings cannot be read.
    """
    if isinstance(source, ClosedLoopSource):
        return RETURN.name
    for tasks in (LOG_TASKS, SEQUENCE_TASKS):
        if source.name in tasks:
            return tasks[source.name].metric
    return source.load()[0].metric


def default_objectives(source: Source) -> tuple[str, ...]:
    """What is searched for where nothing is said."""
    return metric_of(source), "instructions", "error"


def actions_of(source: Source) -> int:
    """How many outputs a controller of ``source`` has; loads it.

    Raises:
        LtcEdgeError: it cannot be loaded.
    """
    if isinstance(source, ClosedLoopSource):
        return len(source.load().actions)
    data = source.load()[0]
    return len(data.classes) if data.kind == "classification" else len(data.target_names)
