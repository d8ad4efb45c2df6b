"""Results of a sweep on disk, a file each, so that work that was interrupted goes on where it was.

A file is named after its point and after a hash of all that defines the result. Results of other data or
other settings may lie in the same folder: they have other hashes. A file that was damaged is done again.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ltc_edge.errors import OutputError
from ltc_edge.evaluation.descent.outcome import Outcome, Point, Settings
from ltc_edge.files import write_atomically

METHOD = 1
"""Raised whenever the same point would come out otherwise, so that old results are not taken for new."""


class Store:
    """The results of one sweep in a folder.

    Args:
        folder: where they lie; made when the first is written.
        subject_sha256: of the windows.
        settings: of the sweep.
    """

    def __init__(self, folder: Path, subject_sha256: str, settings: Settings) -> None:
        self._folder = folder
        self._common = {
            "method": METHOD,
            "subject_sha256": subject_sha256,
            "settings": dataclasses.asdict(settings),
        }
        self.damaged: list[Path] = []

    def read(self, point: Point) -> Outcome | None:
        """The result of ``point``, or None; what is damaged is added to ``damaged``."""
        path = self.path(point)
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise OutputError(f"{path}: cannot be read ({error.strerror or error})") from None
        outcome = _outcome(content, self._definition(point))
        if outcome is None:
            self.damaged.append(path)
        return outcome

    def write(self, point: Point, outcome: Outcome) -> None:
        """Keep a result.

        Raises:
            OutputError: it cannot be written.
        """
        definition, result = self._definition(point), dataclasses.asdict(outcome)
        document = {"definition": definition, "result": result, "sha256": _sha256([definition, result])}
        path = self.path(point)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"{path.parent}: cannot be written ({error.strerror or error})") from None
        write_atomically(path, (json.dumps(document, indent=1, allow_nan=False) + "\n").encode())

    def path(self, point: Point) -> Path:
        """Where the result of ``point`` lies."""
        key = _sha256(self._definition(point))[:16]
        name = f"width-{point.width}_noise-{point.noise:g}_seed-{point.seed}_{key}.json"
        return self._folder / "results" / name

    def _definition(self, point: Point) -> dict[str, Any]:
        return {**self._common, "point": dataclasses.asdict(point)}


def _sha256(document: Any) -> str:
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()


def _outcome(content: bytes, definition: Mapping[str, Any]) -> Outcome | None:
    """What a file holds, if it is whole and of this definition."""
    try:
        document = json.loads(content)
        if document["definition"] != definition:
            return None
        result = document["result"]
        if document["sha256"] != _sha256([definition, result]):
            return None
        bounds = result.pop("lipschitz")
        return Outcome(**result, lipschitz=None if bounds is None else (bounds[0], bounds[1]))
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError):
        return None
