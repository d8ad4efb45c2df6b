"""From what the user said to a complete plan: the source, its default settings, and what overrides them."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from ltc_edge.errors import InputError, TaskError
from ltc_edge.logs import LOG_TASKS, SEQUENCE_TASKS
from ltc_edge.tasks import task_names
from ltc_edge.training.defaults import NCP, log_defaults, task_defaults
from ltc_edge.training.options import ImitationOptions, ModelOptions, PredictionOptions, RefinementOptions
from ltc_edge.training.session import Options, Plan
from ltc_edge.training.sources import (
    ClosedLoopSource,
    EnvironmentSource,
    LogTaskSource,
    RecordingsSource,
    SequenceSource,
    Source,
    TaskSource,
)

DEFAULT_WINDOW = 32
"""Rows of a window of the user's recordings."""

T = TypeVar("T")
Said = Mapping[str, Any]

_OF_ENVIRONMENT = ("expert", "observe", "max_steps")
_OF_RECORDINGS = ("inputs", "targets", "time", "kind", "window", "stride")
_OF_ADAM = ("rounds", "learning_rate", "batch", "patience")
_SHARED = {"rounds": "rounds", "learning_rate": "learning_rate", "batch": "batch"}
MODEL_FIELDS = tuple(field.name for field in dataclasses.fields(ModelOptions))
METHOD_OPTIONS = ("rounds", "learning_rate", "batch", "episodes", "value_weight", "patience")
"""What can be said of how to train, on whatever it is."""

_NOTHING: Said = dict.fromkeys((*MODEL_FIELDS, *METHOD_OPTIONS, "refine", "start"))


def choose_plan(said: Said) -> Plan:
    """The plan for the options ``said`` of ``ltc-edge train``; None means not said.

    Raises:
        InputError: options contradict each other, or something needed is missing.
        TaskError: the task is unknown; the nearest is named.
    """
    return plan_for(choose_source(said), said, said["seed"], said["threads"])


def default_model(source: Source) -> ModelOptions:
    """The network that ``source`` is trained with where nothing is said."""
    of = task_defaults if isinstance(source, ClosedLoopSource) else log_defaults
    return of(source.name).model


def plan_for(source: Source, said: Said, seed: int, threads: int = 1) -> Plan:
    """The plan for the options ``said`` of the network and the method; what is missing was not said.

    Raises:
        InputError: options contradict each other.
    """
    said = {**_NOTHING, **said}
    model, options = _settings(source, said)
    if said["refine"] is not None:
        if not isinstance(source, ClosedLoopSource) or said["start"] is None:
            raise InputError("--refine improves a trained controller of a control task: give it with --from")
        for name in _OF_ADAM:
            _refuse_method(said, name, "training by gradients, not --refine")
        options = RefinementOptions(generations=said["refine"], **_given(said, episodes="episodes"))
    start = None if said["start"] is None else str(_controller_file(said["start"]))
    if start is not None:
        fixed = [_option(name) for name in MODEL_FIELDS if said.get(name) is not None]
        if fixed:
            raise InputError(f"--from brings its own network; leave out {', '.join(fixed)}")
    return Plan(source, options, None if start else model, start, seed, threads)


def choose_source(said: Said) -> Source:
    """What the options ``said`` of ``ltc-edge train`` have learned from; None means not said.

    Raises:
        InputError: options contradict each other, or something needed is missing.
        TaskError: the task is unknown; the nearest is named.
    """
    chosen = [
        name
        for name, given in (("TASK", said["task"]), ("--env", said["env"]), ("--data", said["data"]))
        if given
    ]
    if len(chosen) != 1:
        what = " and ".join(chosen) if chosen else "nothing"
        hint = "; quote patterns, as in --data 'logs/*.csv'" if said["task"] and said["data"] else ""
        raise InputError(
            f"{what} given: say one of TASK, --env or --data (`ltc-edge tasks` lists the tasks){hint}"
        )
    _refuse_stray(said, chosen[0])
    if said["env"]:
        if said["expert"] is None:
            raise InputError("--env needs an expert to imitate: --expert module:function")
        return EnvironmentSource(
            said["env"], said["expert"], said["period"], said["observe"], said["max_steps"]
        )
    if said["data"]:
        return _recordings(said)
    name = said["task"]
    if name in LOG_TASKS:
        if said["data_dir"] is None:
            raise InputError(
                f"{name} needs its recordings: --data-dir FOLDER (from {LOG_TASKS[name].source})"
            )
        return LogTaskSource(name, str(said["data_dir"].resolve()))
    if name in SEQUENCE_TASKS:
        return SequenceSource(name)
    if ":" not in name and name not in task_names():
        nearest = difflib.get_close_matches(name, [*task_names(), *LOG_TASKS, *SEQUENCE_TASKS], n=1)
        hint = f"did you mean {nearest[0]!r}? " if nearest else ""
        raise TaskError(f"unknown task {name!r}: {hint}`ltc-edge tasks` lists them")
    return TaskSource(name, said["sensors"] or "positions")


def _refuse_stray(said: Said, chosen: str) -> None:
    """Refuse options that would silently do nothing."""
    stray: list[str] = []
    if chosen != "--env":
        stray += [name for name in _OF_ENVIRONMENT if said[name] is not None]
    if chosen != "--data":
        stray += [name for name in _OF_RECORDINGS if said[name] is not None]
        stray += [name for name in ("validation", "test") if said[name]]
    if chosen == "TASK" and said["period"] is not None:
        stray.append("period")
    if said["data_dir"] is not None and said["task"] not in LOG_TASKS:
        stray.append("data_dir")
    if said["sensors"] is not None and (chosen != "TASK" or said["task"] in {**LOG_TASKS, **SEQUENCE_TASKS}):
        stray.append("sensors")
    if stray:
        options = ", ".join(_option(name) for name in stray)
        raise InputError(f"{options} says nothing about {chosen}; leave it out")


def _recordings(said: Said) -> RecordingsSource:
    for name in ("inputs", "targets"):
        if said[name] is None:
            raise InputError(f"--data needs --{name}: the columns, such as q,dq or c0:c16")

    def absolute(patterns: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(str(Path.cwd() / pattern) for pattern in patterns)

    return RecordingsSource(
        absolute(said["data"]),
        said["inputs"],
        said["targets"],
        said["time"],
        said["kind"],
        absolute(said["validation"]),
        absolute(said["test"]),
        said["window"] or DEFAULT_WINDOW,
        said["stride"],
        said["period"],
    )


def _settings(source: Source, said: Said) -> tuple[ModelOptions, Options]:
    if isinstance(source, ClosedLoopSource):
        closed = task_defaults(source.name)
        _refuse_method(said, "patience", "recordings")
        options: ImitationOptions | PredictionOptions = dataclasses.replace(
            closed.imitation, **_given(said, **_SHARED, episodes="episodes", value_weight="value_weight")
        )
    else:
        logged = log_defaults(source.name)
        for name in ("episodes", "value_weight"):
            _refuse_method(said, name, "control tasks")
        options = dataclasses.replace(
            logged.prediction, **_given(said, **(_SHARED | {"rounds": "epochs"}), patience="patience")
        )
    _check_rate(options.learning_rate)
    return _model(default_model(source), said), options


def _refuse_method(said: Said, name: str, owner: str) -> None:
    if said[name] is not None:
        raise InputError(f"{_option(name)} is for {owner}; leave it out")


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")


def _check_rate(learning_rate: float) -> None:
    if not 0 < learning_rate <= 1:
        raise InputError(f"--learning-rate {learning_rate} must be above 0 and at most 1")


def _model(default: ModelOptions, said: Said) -> ModelOptions:
    chosen = _given(said, **{name: name for name in MODEL_FIELDS})
    cell, wiring = chosen.get("cell", default.cell), chosen.get("wiring")
    if cell in ("ctrnn", "lstm", "gru") and wiring is None:
        chosen["wiring"] = "dense"
    if wiring == "ncp" and default.wiring != "ncp":
        # A sparse circuit needs more neurons and sub-steps: a signal crosses one layer a sub-step.
        default = dataclasses.replace(default, units=NCP.units, unfolds=NCP.unfolds)
    model = dataclasses.replace(default, **chosen)
    _refuse_inert(model, chosen)
    return model


def _refuse_inert(model: ModelOptions, chosen: Mapping[str, Any]) -> None:
    """Refuse options of the network that the chosen cell and wiring would not read."""
    inert = [_option(name) for name in chosen if not reads(name, model.cell, model.wiring)]
    if inert:
        raise InputError(
            f"{', '.join(inert)} says nothing about --cell {model.cell} with --wiring {model.wiring}; "
            "leave it out"
        )


def reads(name: str, cell: str, wiring: str) -> bool:
    """Whether a network of that cell and wiring reads the field ``name`` of `ModelOptions`."""
    read = {
        "sparsity": wiring != "dense",
        "wiring_seed": cell == "ltc" or wiring != "dense",
        "solver": cell == "ltc",
        "unfolds": cell in ("ltc", "ctrnn"),
        "linear_readout": cell == "ltc",
        "backbone_units": cell == "cfc" and wiring == "dense",
    }
    return read.get(name, True)


def _given(said: Said, **fields: str) -> dict[str, Any]:
    """The options that were said, under the names of the fields they set."""
    return {field: said[option] for option, field in fields.items() if said.get(option) is not None}


def _controller_file(path: Path) -> Path:
    path = path.resolve()
    return path / "controller.safetensors" if path.is_dir() else path
