"""A named task over published recordings: which files, which columns, which split, which score."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ltc_edge.errors import RecordingError
from ltc_edge.logs.assembly import Cut, assemble
from ltc_edge.logs.dataset import Dataset, Kind
from ltc_edge.logs.reading import read_recording
from ltc_edge.logs.recording import Recording
from ltc_edge.logs.segments import Signals
from ltc_edge.logs.splits import Blocks, hold_out, whole


@dataclass(frozen=True)
class LogTask:
    """A task over recordings that the user fetches from their source.

    Attributes:
        name: key in ``LOG_TASKS``.
        summary: one line on what is learned.
        folder: subfolder of the data folder in which the files may lie.
        train_files, validation_files, test_files: file names of each split. Without validation files the
            end of each training file validates, after a gap of one window.
        validation_share: share of the training rows that validate where there are no validation files.
        kind: what the targets are.
        inputs, targets: column names.
        input_units, target_units: their units; ``""`` where the data carry none.
        time: column of the time, or None where rows are ``period_s`` apart.
        period_s: nominal seconds between rows.
        window_length, stride, evaluation_stride: the windows, in rows.
        metric: name in ``METRICS``, taken in raw units over every row of the test windows.
        source: where the files come from.
        license: their terms.
    """

    name: str
    summary: str
    folder: str
    train_files: tuple[str, ...]
    validation_files: tuple[str, ...]
    test_files: tuple[str, ...]
    validation_share: float
    kind: Kind
    inputs: tuple[str, ...]
    targets: tuple[str, ...]
    input_units: tuple[str, ...]
    target_units: tuple[str, ...]
    time: str | None
    period_s: float
    window_length: int
    stride: int
    evaluation_stride: int
    metric: str
    source: str
    license: str

    def load(self, data_dir: str | Path) -> Dataset:
        """Read the task's files from ``data_dir``, or from its subfolder ``folder``.

        Raises:
            RecordingError: a file is missing or damaged; the message names where to get it.
        """
        root = self._root(Path(data_dir))
        train = self._read(root, self.train_files)
        blocks: Blocks = {"train": [], "validation": []}
        if self.validation_files:
            blocks["train"] = whole(train)
            blocks["validation"] = whole(self._read(root, self.validation_files))
        else:
            for recording in train:
                cut = hold_out([recording], {"validation": self.validation_share}, self.window_length)
                blocks["train"] += cut["train"]
                blocks["validation"] += cut["validation"]
        blocks["test"] = whole(self._read(root, self.test_files))
        period_s = self.period_s if self.time is None else None
        return assemble(
            blocks,
            Signals(self.inputs, self.targets, self.kind),
            Cut(self.window_length, self.stride, self.evaluation_stride),
            period_s,
            self.metric,
        )

    def _root(self, data_dir: Path) -> Path:
        """The folder that holds the first training file."""
        for root in (data_dir, data_dir / self.folder):
            if (root / self.train_files[0]).is_file():
                return root
        raise self._missing(data_dir / self.train_files[0])

    def _read(self, root: Path, names: tuple[str, ...]) -> list[Recording]:
        for name in names:
            if not (root / name).is_file():
                raise self._missing(root / name)
        columns = tuple(dict.fromkeys([*self.inputs, *self.targets]))
        return [read_recording(root / name, columns, self.time) for name in names]

    def _missing(self, path: Path) -> RecordingError:
        return RecordingError(
            f"{path}: the task {self.name!r} needs this file. Get it from {self.source} and name its folder."
        )
