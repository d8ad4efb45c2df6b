"""Supervised training on windows of recordings, with the best-validation checkpoint."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ltc_edge.arrays import FloatArray
from ltc_edge.controller import Controller
from ltc_edge.errors import RecordingError
from ltc_edge.logs import METRICS, Dataset, Segment, Windows, windows
from ltc_edge.network import Network
from ltc_edge.training.learner import Learner, cosine_rate
from ltc_edge.training.loop import Round
from ltc_edge.training.options import PredictionOptions
from ltc_edge.training.run_folder import RunFolder

EVALUATION_BATCH = 512

ALIKE_BATCHES = 16
"""Batches drawn together where windows end at different rows, to share their windows out by the ends."""


class Prediction:
    """Epochs over the training windows as a `Method`: a round is an epoch."""

    later_wins_ties = False

    def __init__(self, data: Dataset, controller: Controller, options: PredictionOptions, seed: int) -> None:
        self.rounds = options.epochs
        self.metric = f"validation_{data.metric}"
        self.lower_is_better = METRICS[data.metric].lower_is_better
        self._data = data
        self._options = options
        self._seed = seed
        self._learner = Learner(controller, weight_decay=options.weight_decay)
        cut = windows(data.train.segments, data.window_length, data.stride)
        self._inputs = torch.from_numpy(cut.inputs.astype(np.float32))
        self._dt_s = torch.from_numpy(cut.dt_s.astype(np.float32))
        self._targets = self._training_targets(cut)
        # Choosing rows copies them, which most recordings need not pay for: all their rows count.
        self._scored = None if cut.scored.all() else torch.from_numpy(cut.scored)
        self._ends = torch.from_numpy(cut.scored.shape[1] - cut.scored[:, ::-1].argmax(axis=1))
        self._weights = self._target_weights()
        self._best = math.inf if self.lower_is_better else -math.inf
        self._stale = 0

    def _training_targets(self, cut: Windows) -> Tensor:
        targets = torch.from_numpy(np.asarray(cut.targets))
        if self._data.kind == "classification":
            return targets
        return self._learner.network.scaled(targets.float())

    def _target_weights(self) -> Tensor:
        """Weight of each target's squared error, ``(M,)``: 1 on average, so learning rates carry over."""
        variance = self._learner.network.out_scale**2
        return variance / variance.mean() if self._options.raw_loss else torch.ones_like(variance)

    def _rows_sha256(self) -> str:
        state = hashlib.sha256()
        for tensor in (self._inputs, self._dt_s, self._targets, self._scored):
            if tensor is not None:
                state.update(tensor.numpy().tobytes())
        return state.hexdigest()

    def start(self, folder: RunFolder, completed: int) -> None:
        """Nothing but the checkpoint is needed to go on."""

    def round(self, index: int, tick: Callable[[float], None]) -> Round:
        """One epoch and its validation."""
        options = self._options
        batches = self._batches(np.random.default_rng([self._seed, index]))
        losses = []
        for number, chosen in enumerate(batches):
            progress = (index + number / len(batches)) / options.epochs
            loss = self._loss(*self._answers(chosen))
            losses.append(self._learner.update(loss, cosine_rate(options.learning_rate, progress)))
            tick((number + 1) / len(batches))
        value = self._validate()
        return Round({"loss": float(np.mean(losses))}, value, finished=self._is_stale(value))

    def _batches(self, rng: np.random.Generator) -> list[Tensor]:
        """Every window once, in random batches.

        Where not all rows count, windows that end alike go together: no time goes into rows past the end, and
        short sequences, from which a dependency is learned first, are not drowned by long ones.
        """
        size = self._options.batch
        order = torch.from_numpy(rng.permutation(len(self._inputs)))
        if self._scored is None:
            return list(torch.split(order, size))
        batches: list[Tensor] = []
        for drawn in torch.split(order, ALIKE_BATCHES * size):
            ends = self._ends[drawn]
            batches += torch.split(drawn[torch.argsort(ends, stable=True)], size)
        return [batches[place] for place in rng.permutation(len(batches))]

    def _answers(self, chosen: Tensor) -> tuple[Tensor, Tensor]:
        """Readout and targets of the rows that count, ``(any, M)``; class indexes ``(any,)``."""
        if self._scored is None:
            readout, _ = self._learner.network(self._inputs[chosen], self._dt_s[chosen])
            return readout.flatten(0, 1), self._targets[chosen].flatten(0, 1)
        scored = self._scored[chosen]
        # Rows after the last that counts change nothing.
        rows = int(self._ends[chosen].max())
        readout, _ = self._learner.network(self._inputs[chosen, :rows], self._dt_s[chosen, :rows])
        return readout[scored[:, :rows]], self._targets[chosen][scored]

    def _loss(self, readout: Tensor, targets: Tensor) -> Tensor:
        if self._data.kind == "classification":
            return functional.cross_entropy(readout, targets)
        return torch.mean(self._weights * (readout - targets) ** 2)

    def _validate(self) -> float:
        return score(self._learner.network, self._data, self._data.validation.segments)

    def _is_stale(self, value: float) -> bool:
        improved = value < self._best if self.lower_is_better else value > self._best
        self._best, self._stale = (value, 0) if improved else (self._best, self._stale + 1)
        return self._options.patience is not None and self._stale >= self._options.patience

    def controller(self) -> Controller:
        """The present controller."""
        return self._learner.controller()

    def arrays(self) -> dict[str, FloatArray]:
        """The learner's state."""
        return self._learner.arrays()

    def state(self) -> dict[str, Any]:
        """What early stopping remembers, and which rows were trained on."""
        return {"best": self._best, "stale": self._stale, "rows": self._rows_sha256()}

    def load(self, arrays: Mapping[str, FloatArray], state: Mapping[str, Any]) -> None:
        """Put back what `arrays` and `state` gave.

        Raises:
            RecordingError: the training rows are not those the run began with.
        """
        if state["rows"] != self._rows_sha256():
            sources = ", ".join(self._data.train.sources)
            raise RecordingError(
                f"{sources}: changed since the run began; restore it, or train anew with --force"
            )
        self._learner.load(arrays)
        self._best, self._stale = state["best"], state["stale"]


@torch.no_grad()
def score(network: Network, data: Dataset, segments: tuple[Segment, ...]) -> float:
    """The data's metric over the scored windows of ``segments``, in raw units, each from the reset state.

    Only rows whose target counts are scored.
    """
    cut = windows(segments, data.window_length, data.evaluation_stride)
    inputs = torch.from_numpy(cut.inputs).to(network.dtype)
    dt_s = torch.from_numpy(cut.dt_s).to(network.dtype)
    parts = zip(torch.split(inputs, EVALUATION_BATCH), torch.split(dt_s, EVALUATION_BATCH), strict=True)
    outputs = [network(x, dt)[0] for x, dt in parts]
    predicted = network.actions(torch.cat(outputs)).numpy()
    if data.kind == "classification":
        predicted = predicted.argmax(axis=-1)
    return float(METRICS[data.metric].compute(predicted[cut.scored], cut.targets[cut.scored]))
