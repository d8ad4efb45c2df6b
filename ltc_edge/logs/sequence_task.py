"""A named task over sequences that are drawn, not recorded: nothing is to be fetched for it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ltc_edge.logs.bit_streams import Generator
from ltc_edge.logs.dataset import Dataset, Segment, Split
from ltc_edge.logs.normalizer import fit_normalizer

BIT_S = 1.0
"""Seconds that a bit lasts."""


@dataclass(frozen=True)
class SequenceTask:
    """Sequences with one label each, asked for at the last row of a stream alone.

    The splits are the same for everyone, whatever the seed of a training run.

    Attributes:
        name: key in ``SEQUENCE_TASKS``.
        summary: one line on what is learned.
        generate: draws the streams.
        rows: of a sequence.
        train, validation, test: sequences of each split.
        source: where the task is described.
        metric: name in ``METRICS``.
    """

    name: str
    summary: str
    generate: Generator
    rows: int
    train: int
    validation: int
    test: int
    source: str
    metric: str = "accuracy"

    def load(self) -> Dataset:
        """Draw the three splits; their windows are the sequences."""
        train, validation, test = (
            self._segment(seed, count) for seed, count in enumerate((self.train, self.validation, self.test))
        )
        return Dataset(
            kind="classification",
            input_names=("bit",),
            target_names=("label",),
            classes=(0, 1),
            train=Split((train,)),
            validation=Split((validation,)),
            test=Split((test,)),
            input_normalizer=fit_normalizer([train.inputs], ("bit",)),
            target_normalizer=None,
            period_s=BIT_S,
            window_length=self.rows,
            stride=self.rows,
            evaluation_stride=self.rows,
            metric=self.metric,
            notes=(),
        )

    def _segment(self, seed: int, count: int) -> Segment:
        """``count`` sequences end to end: windows a sequence apart cut them again."""
        streams = self.generate(np.random.default_rng(seed), count, self.rows)
        return Segment(
            source=self.name,
            first_row=0,
            inputs=streams.bit.reshape(-1, 1),
            targets=np.repeat(streams.label, self.rows),
            dt_s=streams.dt_s.reshape(-1),
            scored=streams.last.reshape(-1),
        )
