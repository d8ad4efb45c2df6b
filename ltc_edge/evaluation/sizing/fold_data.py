"""A fold of a learning curve, ready for training and judging."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ltc_edge.arrays import FloatArray, IntArray
from ltc_edge.evaluation.sizing.folds import Fold
from ltc_edge.logs import windows
from ltc_edge.logs.dataset import Dataset, Segment, Split
from ltc_edge.logs.normalizer import fit_normalizer
from ltc_edge.network import Network

MOST_WINDOWS = 4000
"""Windows that a fold trains on: what is left out overlaps them, or is more than updates will see."""

MOST_SCORED = 400
"""Windows that errors are taken over, evenly spaced."""


@dataclass(frozen=True, eq=False)
class Rows:
    """`Windows` as tensors."""

    inputs: Tensor
    dt_s: Tensor
    targets: Tensor
    scored: Tensor


class FoldData:
    """A fold as tensors: windows to train on and to score, and what is made of a network's readout of them.

    Attributes:
        data: the fold as a data set, normalised by what is trained on.
        train: windows to draw from.
        trained_on, held_out: windows that errors are taken over.
        guess: error on what is held out of the commonest class, or the mean, of what is trained on.
    """

    def __init__(self, data: Dataset, fold: Fold) -> None:
        self.classes = data.kind == "classification"
        targets = [segment.targets for segment in fold.train]
        self.data = dataclasses.replace(
            data,
            train=Split(fold.train),
            input_normalizer=fit_normalizer([each.inputs for each in fold.train], data.input_names),
            target_normalizer=None
            if self.classes
            else fit_normalizer([np.asarray(each, dtype=np.float64) for each in targets], data.target_names),
        )
        # Errors are in units of all rows' variance, the same in every fold.
        self._scale = (
            None if data.target_normalizer is None else torch.from_numpy(data.target_normalizer.scale)
        )
        self.train = self._windows(fold.train, data.stride, MOST_WINDOWS)
        self.trained_on = self._windows(fold.train, data.window_length, MOST_SCORED)
        self.held_out = self._windows(fold.held_out, data.window_length, MOST_SCORED)
        self.guess = self._guess(targets)

    def _windows(self, segments: tuple[Segment, ...], stride: int, most: int) -> Rows:
        rows = sum(segment.rows for segment in segments)
        cut = windows(segments, self.data.window_length, max(stride, -(-rows // most)))
        targets = np.asarray(cut.targets)
        return Rows(
            torch.from_numpy(cut.inputs.astype(np.float32)),
            torch.from_numpy(cut.dt_s.astype(np.float32)),
            torch.from_numpy(targets if self.classes else targets.astype(np.float32)),
            torch.from_numpy(cut.scored),
        )

    def _guess(self, targets: Sequence[FloatArray | IntArray]) -> float:
        found = self.held_out
        if self.classes:
            commonest = int(np.bincount(np.concatenate(targets)).argmax())
            return float((found.targets != commonest)[found.scored].float().mean())
        assert self.data.target_normalizer is not None
        assert self._scale is not None
        error = (found.targets - torch.from_numpy(self.data.target_normalizer.mean)) / self._scale
        return float(error[found.scored].square().mean())

    def batch(self, rng: np.random.Generator, size: int) -> Rows:
        """``size`` windows of those to train on, drawn with replacement."""
        drawn, rows = rng.integers(len(self.train.inputs), size=size), self.train
        return Rows(rows.inputs[drawn], rows.dt_s[drawn], rows.targets[drawn], rows.scored[drawn])

    def loss(self, network: Network, readout: Tensor, rows: Rows) -> Tensor:
        """What training lessens: of ``readout``, which ``network`` gave for ``rows``."""
        if self.classes:
            return functional.cross_entropy(readout[rows.scored], rows.targets[rows.scored])
        return functional.mse_loss(readout[rows.scored], network.scaled(rows.targets)[rows.scored])

    @torch.no_grad()
    def error(self, network: Network, rows: Rows) -> float:
        """Over ``rows``: squared, in units of the targets' variance, or the share classified wrongly."""
        readout, _ = network(rows.inputs, rows.dt_s)
        if self.classes:
            return float((readout.argmax(dim=-1) != rows.targets)[rows.scored].float().mean())
        assert self._scale is not None
        error = (network.actions(readout) - rows.targets) / self._scale
        return float(error[rows.scored].square().mean())
