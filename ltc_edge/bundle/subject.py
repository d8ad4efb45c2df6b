"""What is exported: a controller from wherever it comes, and the task or recordings that it is for."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

from ltc_edge.bundle.folder import MANIFEST
from ltc_edge.controller import Controller, Timing
from ltc_edge.controller_file import load_controller
from ltc_edge.errors import ControllerFileError, InputError
from ltc_edge.evaluation.closed_loop import check_fit
from ltc_edge.export.formats import HUB
from ltc_edge.export.hub.reader import controller_from_bytes, read_hub
from ltc_edge.export.hub.writer import hub_bytes
from ltc_edge.training.sources import Source, TaskSource
from ltc_edge.verification.task_trial import check_simulator


@dataclass(frozen=True, eq=False)
class Subject:
    """What is exported.

    Attributes:
        trained: the controller as it was trained: the truth that every format is compared with.
        controller: the same as the hub holds it, in float32: what every format is made from.
        source: its task or recordings, where known.
    """

    trained: Controller
    controller: Controller
    source: Source | None


def read_subject(path: Path) -> Subject:
    """What is at ``path``: a run folder, a controller's file, or a hub.

    Raises:
        ControllerFileError: it is none of these, or is damaged.
    """
    if (path / MANIFEST).exists():
        raise ControllerFileError(f"{path}: is a bundle; name the run it was made from, or {path / HUB.file}")
    if path.is_dir():
        from ltc_edge.training.run_folder import RunFolder
        from ltc_edge.training.session import read_plan

        source = read_plan(path).source  # first, since it says what a folder that is no run is
        return subject_of(RunFolder(path).controller(), source)
    if not path.exists():
        raise ControllerFileError(f"{path}: no such run folder or file")
    if path.suffix == ".safetensors":
        return subject_of(load_controller(path), None)
    if path.suffix == ".onnx":
        from ltc_edge.export.hub.check import check_hub_means_what_it_says

        controller = read_hub(path)
        check_hub_means_what_it_says(path, controller)
        return Subject(controller, controller, None)
    raise ControllerFileError(
        f"{path}: export takes a run folder of `ltc-edge train`, a controller (.safetensors) or a hub (.onnx)"
    )


def subject_of(trained: Controller, source: Source | None) -> Subject:
    """A controller as it is exported, for its task or recordings."""
    # Through the file and back: the writers see what anybody who has only the hub would see.
    return Subject(trained, controller_from_bytes(hub_bytes(trained), "the hub"), source)


def with_dt_range(subject: Subject, low_s: float, high_s: float) -> Subject:
    """The same, allowed other elapsed times.

    Raises:
        InputError: the period is not within the range.
    """
    timing = subject.trained.timing
    if not low_s <= timing.period_s <= high_s:
        raise InputError(f"--dt-range: MIN,MAX must hold the period of {timing.period_s:g} s between them")
    try:
        narrowed = Timing(timing.period_s, low_s, high_s, timing.time_unit_s)
    except InputError as error:
        raise InputError(f"--dt-range: {error}") from None
    return subject_of(dataclasses.replace(subject.trained, timing=narrowed), subject.source)


def with_task(subject: Subject, name: str, sensors: str) -> Subject:
    """The same, for the task ``name``.

    Raises:
        InputError: there is no such task, or its signals are not the controller's.
        MissingExtraError: its simulator is not installed.
    """
    source = TaskSource(name, sensors)
    task = source.load()
    check_fit(task, subject.trained)
    check_simulator(task)
    return dataclasses.replace(subject, source=source)
