"""Trained controllers, untrained ones and their figures: what the estimates of a sweep are fitted to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ltc_edge.controller import Controller
from ltc_edge.controller_file import load_controller
from ltc_edge.errors import LtcEdgeError
from ltc_edge.sweep.exported import export_format
from ltc_edge.sweep.figures import firmware
from ltc_edge.training.run_folder import RunFolder

FORMATS = ("c-float32", "c-int16")


@dataclass(frozen=True)
class Pair:
    """A run: the controller before and after its training."""

    path: Path
    untrained: Controller
    trained: Controller


def pairs(folders: Sequence[Path], of_a_kind: int) -> Iterator[Pair]:
    """The finished runs below ``folders``, at most ``of_a_kind`` of each task and network."""
    seen: dict[Any, int] = {}
    found = {path.parent for folder in folders for path in folder.rglob("summary.json")}
    for path in sorted(found):
        run = RunFolder(path)
        try:
            pair = Pair(path, load_controller(run.initial_file), run.controller())
        except LtcEdgeError:
            continue
        kind = pair.trained.name, repr(pair.trained.cell)
        seen[kind] = seen.get(kind, 0) + 1
        if seen[kind] <= of_a_kind:
            yield pair


def costs(controller: Controller, form: str, target: str) -> dict[str, float] | str:
    """The figures of firmware; or why there are none."""
    try:
        return dict(firmware(export_format(controller, form, None), target))
    except LtcEdgeError as error:
        return str(error)
