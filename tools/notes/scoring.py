"""Figures of trained runs, a JSON file a part in the run's folder: what is there is not measured again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from ltc_edge.controller import Controller
from ltc_edge.files import write_atomically
from ltc_edge.logs import Dataset
from ltc_edge.tasks.protocol import Task
from ltc_edge.training.run_folder import RunFolder
from notes import closed_loop, firmware, lipschitz, recordings
from notes.training import Run, say

Figures = dict[str, Any]

TASK, CORRUPTION, SHIFTED = "task", "corruption", "out-of-distribution"
LIPSCHITZ, FIRMWARE = "lipschitz", "firmware"
PARTS = (TASK, CORRUPTION, SHIFTED, LIPSCHITZ, FIRMWARE)

NOT_SHIFTED = "recordings have neither a plant whose parameters could be off nor initial states to choose"


def figures(run: Run, part: str) -> Figures | None:
    """A part of a run's figures; None where it is not measured yet."""
    path = _file(run, part)
    if not path.exists():
        return None
    found: Figures = json.loads(path.read_text(encoding="utf-8"))
    return found


def score(runs: Sequence[Run]) -> None:
    """Measure what is missing of the trained ones of ``runs``.

    Raises:
        LtcEdgeError: a run is damaged, or cannot be played.
    """
    trained = [run for run in runs if run.is_done]
    for name in dict.fromkeys(run.subject.name for run in trained):
        own = [run for run in trained if run.subject.name == name]
        for part in PARTS:
            missing = [run for run in own if figures(run, part) is None]
            if missing:
                say(f"{name}: {part} of {len(missing)} runs")
                _measure(part, missing)


def _measure(part: str, runs: Sequence[Run]) -> None:
    controllers = [RunFolder(run.folder).controller() for run in runs]
    if part == FIRMWARE:
        _keep(part, runs, map(firmware.emulated, controllers))
        return
    subject = runs[0].subject
    loaded = subject.source.load()
    if isinstance(loaded, tuple):
        _keep(part, runs, _on_recordings(part, loaded[0], runs, controllers))
    else:
        _keep(part, runs, _in_closed_loop(part, loaded, controllers))


def _in_closed_loop(part: str, task: Task, controllers: Sequence[Controller]) -> list[Figures]:
    measure: dict[str, Callable[[Task, Sequence[Controller]], list[Figures]]] = {
        TASK: closed_loop.returns,
        CORRUPTION: closed_loop.corruption,
        SHIFTED: closed_loop.shifted,
        LIPSCHITZ: lambda task, controllers: [lipschitz.in_closed_loop(task, one) for one in controllers],
    }
    return measure[part](task, controllers)


def _on_recordings(
    part: str, data: Dataset, runs: Sequence[Run], controllers: Sequence[Controller]
) -> Iterable[Figures]:
    for run, controller in zip(runs, controllers, strict=True):
        if part == TASK:
            yield recordings.metric(data, controller)
        elif part == CORRUPTION:
            yield recordings.corruption(data, controller, (figures(run, TASK) or {})["baseline"])
        elif part == LIPSCHITZ:
            yield lipschitz.on_recordings(data, controller)
        else:
            yield {"score": None, "reason": NOT_SHIFTED}


def _keep(part: str, runs: Sequence[Run], found: Iterable[Figures]) -> None:
    for run, own in zip(runs, found, strict=True):
        path = _file(run, part)
        path.parent.mkdir(exist_ok=True)
        write_atomically(path, (json.dumps(own, indent=1, allow_nan=False) + "\n").encode())


def _file(run: Run, part: str) -> Path:
    return run.folder / "figures" / f"{part}.json"
