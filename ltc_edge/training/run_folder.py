"""The folder of a training run, and what a kill at any moment leaves of it.

    config.json                what was asked for; written first, never changed
    initial.safetensors        the untrained controller
    metrics.jsonl              one JSON object a round
    controller.safetensors     the best controller so far
    learning_curve.png         written when the run ends
    summary.json               written last: a run with it is complete
    checkpoint.safetensors     everything needed to go on, replaced as one file after each round
    data/round_0000.safetensors  what a round collected; checkpoints name the rounds they include

Each file is replaced atomically. The checkpoint is the truth: what is newer than it is done again.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ltc_edge.arrays import FloatArray
from ltc_edge.controller import Controller
from ltc_edge.controller_file import load_controller, save_controller
from ltc_edge.errors import ControllerFileError, OutputError
from ltc_edge.files import digest, read_safetensors, safetensors_bytes, write_atomically

SCHEMA_VERSION = 1
_DOCUMENT = "ltc_edge_run"


@dataclass(frozen=True)
class Checkpoint:
    """Everything needed to go on after ``round``.

    Attributes:
        round: last round that is complete.
        arrays: of the learner and the method.
        history: the metrics of every round so far.
        state: small facts of the method, as JSON.
    """

    round: int
    arrays: Mapping[str, FloatArray]
    history: list[dict[str, Any]]
    state: dict[str, Any]


@dataclass(frozen=True)
class RunFolder:
    """A run's files."""

    path: Path

    @property
    def controller_file(self) -> Path:
        """Where the best controller is."""
        return self.path / "controller.safetensors"

    @property
    def initial_file(self) -> Path:
        """Where the untrained controller is."""
        return self.path / "initial.safetensors"

    @property
    def learning_curve(self) -> Path:
        """Where the picture of the run goes."""
        return self.path / "learning_curve.png"

    def write_config(self, config: Mapping[str, Any]) -> None:
        """Write what was asked for."""
        self._write_json("config.json", {"schema": SCHEMA_VERSION, **config})

    def config(self) -> dict[str, Any]:
        """What was asked for.

        Raises:
            ControllerFileError: this is not a run folder, or one of an unknown version.
        """
        path = self.path / "config.json"
        if self.path.is_file():
            raise ControllerFileError(f"{self.path}: is a file; name the folder that `ltc-edge train` wrote")
        if not self.path.is_dir():
            raise ControllerFileError(f"{self.path}: no such run folder")
        document = _read_json(path, "is not a run folder of `ltc-edge train`")
        if document.get("schema") != SCHEMA_VERSION:
            raise ControllerFileError(
                f"{path}: schema version {document.get('schema')!r} is unknown here "
                f"(this is version {SCHEMA_VERSION}); upgrade ltc-edge"
            )
        return document

    def save_controller(self, controller: Controller) -> None:
        """Replace the best controller."""
        save_controller(controller, self.controller_file)

    def controller(self) -> Controller:
        """The best controller.

        Raises:
            ControllerFileError: there is none yet, or it is damaged.
        """
        if not self.controller_file.exists():
            raise ControllerFileError(
                f"{self.path}: holds no controller yet: training stopped before its first validation; "
                "go on with `ltc-edge train --resume`"
            )
        return load_controller(self.controller_file)

    def write_metrics(self, history: list[dict[str, Any]]) -> None:
        """Replace the metrics by the checkpoint's."""
        lines = "".join(json.dumps(record, allow_nan=False) + "\n" for record in history)
        write_atomically(self.path / "metrics.jsonl", lines.encode())

    def save_checkpoint(self, checkpoint: Checkpoint) -> None:
        """Replace the checkpoint."""
        document = {
            "schema": SCHEMA_VERSION,
            "run": self._identity(),
            "round": checkpoint.round,
            "history": checkpoint.history,
            "state": checkpoint.state,
        }
        self._write_arrays(self.path / "checkpoint.safetensors", document, checkpoint.arrays)

    def checkpoint(self) -> Checkpoint | None:
        """The last checkpoint, or None before the first.

        Raises:
            ControllerFileError: the checkpoint is damaged, or of another run.
        """
        path = self.path / "checkpoint.safetensors"
        if not path.exists():
            return None
        document, arrays = self._read_arrays(path)
        if document.get("run") != self._identity():
            raise ControllerFileError(
                f"{path}: is not of the run that config.json and {self.initial_file.name} describe; "
                "put them back, or start again with --force"
            )
        return Checkpoint(document["round"], arrays, document["history"], document["state"])

    def save_round_data(self, index: int, arrays: Mapping[str, FloatArray]) -> None:
        """Keep what round ``index`` collected."""
        path = self._round_data(index)
        try:
            path.parent.mkdir(exist_ok=True)
        except OSError as error:
            raise OutputError(f"{path.parent}: cannot be written ({error.strerror or error})") from None
        self._write_arrays(path, {"round": index}, arrays)

    def round_data(self, index: int) -> dict[str, FloatArray]:
        """What round ``index`` collected.

        Raises:
            ControllerFileError: the file is missing or damaged, or another round's.
        """
        path = self._round_data(index)
        document, arrays = self._read_arrays(path)
        if document != {"round": index}:
            raise ControllerFileError(f"{path}: is not of round {index}; start again with --force")
        return arrays

    def finish(self, summary: Mapping[str, Any]) -> None:
        """Mark the run complete and drop what only going on would need."""
        self._write_json("summary.json", summary)
        shutil.rmtree(self.path / "data", ignore_errors=True)
        # What a kill in the middle of a write left.
        for leftover in self.path.glob(".*.safetensors.*"):
            leftover.unlink(missing_ok=True)
        (self.path / "checkpoint.safetensors").unlink(missing_ok=True)

    def summary(self) -> dict[str, Any] | None:
        """The summary of a complete run, or None."""
        path = self.path / "summary.json"
        return _read_json(path, "is damaged") if path.exists() else None

    def _round_data(self, index: int) -> Path:
        return self.path / "data" / f"round_{index:04d}.safetensors"

    def _identity(self) -> str:
        """What tells this run from others: sha256 of what it started from."""
        state = hashlib.sha256()
        for path in (self.path / "config.json", self.initial_file):
            try:
                state.update(path.read_bytes())
            except OSError as error:
                raise ControllerFileError(f"{path}: cannot be read ({error.strerror or error})") from None
        return state.hexdigest()

    @staticmethod
    def _write_arrays(path: Path, document: dict[str, Any], arrays: Mapping[str, FloatArray]) -> None:
        document = {**document, "sha256": digest(document, arrays)}
        metadata = {_DOCUMENT: json.dumps(document, allow_nan=False)}
        write_atomically(path, safetensors_bytes(arrays, metadata))

    @staticmethod
    def _read_arrays(path: Path) -> tuple[dict[str, Any], dict[str, FloatArray]]:
        """What `_write_arrays` wrote, or a refusal of what it did not."""
        arrays, metadata = read_safetensors(path)
        try:
            document = json.loads(metadata[_DOCUMENT])
            recorded = document.pop("sha256")
            if recorded == digest(document, arrays):
                return document, arrays
        except (KeyError, ValueError, TypeError, AttributeError, RecursionError):
            pass
        raise ControllerFileError(f"{path}: was damaged or edited; start again with --force")

    def _write_json(self, name: str, document: Mapping[str, Any]) -> None:
        write_atomically(self.path / name, (json.dumps(document, indent=2, allow_nan=False) + "\n").encode())


def _read_json(path: Path, otherwise: str) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ControllerFileError(f"{path.parent}: {otherwise} (it has no {path.name})") from None
    except (OSError, ValueError, RecursionError) as error:
        raise ControllerFileError(f"{path}: {otherwise} ({error})") from None
    if not isinstance(document, dict):
        raise ControllerFileError(f"{path}: {otherwise} (not a JSON object)")
    return document
