"""What a sweep is made on: windows of recordings or demonstrations, each with one label."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ltc_edge.arrays import FloatArray, IntArray
from ltc_edge.errors import InputError
from ltc_edge.files import digest
from ltc_edge.logs import Dataset, Segment, windows

MOST_TEST_WINDOWS = 1000
"""More change the test error less than its seeds do."""


@dataclass(frozen=True, eq=False)
class Examples:
    """``n`` windows of ``L`` rows, each labelled by the target of its last row.

    One label a window, and windows that do not overlap, so that ``n`` counts what there is to fit; labels
    of neighbouring rows are nearly the same.

    Attributes:
        inputs: ``[n, L, I]``, raw units.
        dt_s: ``[n, L]``.
        labels: ``[n, M]``, raw units; for classification ``[n]``, indexes of classes.
    """

    inputs: FloatArray
    dt_s: FloatArray
    labels: FloatArray | IntArray

    def __len__(self) -> int:
        return len(self.inputs)

    def choose(self, rows: IntArray) -> Examples:
        """Those of ``rows``, in that order."""
        return Examples(self.inputs[rows], self.dt_s[rows], self.labels[rows])


@dataclass(frozen=True, eq=False)
class Subject:
    """What is learned.

    Attributes:
        name: for titles.
        data: where the windows are from: names, normalisers, kind of target.
        train: all windows that training may draw from.
        test: the windows that every model is tested on; their labels are never changed.
    """

    name: str
    data: Dataset
    train: Examples
    test: Examples

    @property
    def outputs(self) -> int:
        """M, the values that a model gives a window."""
        return self.data.outputs

    @property
    def is_classes(self) -> bool:
        """Whether labels are classes."""
        return self.data.kind == "classification"

    @property
    def sha256(self) -> str:
        """Of all that a result depends on."""
        document = {
            "kind": self.data.kind,
            "inputs": self.data.input_names,
            "targets": self.data.target_names,
        }
        tensors: dict[str, FloatArray] = {"input_scale": self.data.input_normalizer.scale}
        for split, examples in (("train", self.train), ("test", self.test)):
            labels = np.asarray(examples.labels, dtype=np.float64)
            tensors |= {f"{split}_inputs": examples.inputs, f"{split}_dt_s": examples.dt_s}
            tensors[f"{split}_labels"] = labels
        return digest(document, tensors)

    def normal_inputs(self, examples: Examples) -> FloatArray:
        """Windows as one row each, normalised: ``[n, L·I]``."""
        return self.data.input_normalizer.apply(examples.inputs).reshape(len(examples), -1)

    def targets(self, labels: FloatArray | IntArray) -> FloatArray:
        """What a model's outputs are to be, ``[n, M]``: normalised; of classes, 1 for its own and else −1."""
        if self.data.target_normalizer is None:
            own = np.asarray(labels)[:, None] == np.arange(self.outputs)
            return np.where(own, 1.0, -1.0)
        return self.data.target_normalizer.apply(np.asarray(labels, dtype=np.float64))

    def error(self, outputs: FloatArray, labels: FloatArray | IntArray) -> float:
        """Error of ``outputs``, ``[n, M]``.

        Mean squared error in variances of the targets, so that 1 is what guessing the mean costs; of
        classes the share of wrong ones.
        """
        if self.is_classes:
            return float(np.mean(outputs.argmax(axis=1) != labels))
        return float(np.mean((outputs - self.targets(labels)) ** 2))


def make_subject(name: str, data: Dataset, window: int, stride: int | None = None) -> Subject:
    """Cut the training and test splits of ``data`` into windows of ``window`` rows.

    Args:
        name: for titles.
        data: the recordings.
        window: rows of a window.
        stride: rows between the starts of training windows; None for ``window``, so that none overlap.

    Raises:
        RecordingError: no window fits.
    """
    test = _examples(data.test.segments, window, window)
    if len(test) > MOST_TEST_WINDOWS:
        test = test.choose(np.linspace(0, len(test) - 1, MOST_TEST_WINDOWS).astype(np.int64))
    return Subject(name, data, _examples(data.train.segments, window, stride or window), test)


def _examples(segments: tuple[Segment, ...], window: int, stride: int) -> Examples:
    cut = windows(segments, window, stride)
    return Examples(cut.inputs, cut.dt_s, cut.targets[:, -1])


def check_enough(subject: Subject, count: int) -> None:
    """Raise ``InputError`` where there are fewer than ``count`` windows to train on."""
    have, window = len(subject.train), subject.train.inputs.shape[1]
    if count > have:
        raise InputError(
            f"{subject.name}: there are {have} training windows of {window} rows, not {count}; ask for "
            f"fewer --windows, a shorter --window, or give more recordings"
        )
