"""What is sized: recordings or demonstrations, as one data set of rows that no test will ask about."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from ltc_edge.arrays import FloatArray
from ltc_edge.evaluation.sizing.demonstrations import demonstrations
from ltc_edge.logs.dataset import Dataset, Segment, Split
from ltc_edge.logs.normalizer import fit_normalizer
from ltc_edge.training.options import ImitationOptions, ModelOptions
from ltc_edge.training.session import Plan
from ltc_edge.training.sources import ClosedLoopSource


@dataclass(frozen=True, eq=False)
class Subject:
    """What is sized.

    Attributes:
        name: of the task, or of the targets.
        demonstrated: whether the rows are an expert's demonstrations, else they were recorded.
        data: whose training split holds the rows: those that `train` would train on or validate with. The
            test split is left alone.
        model: what `train` would train by default.
    """

    name: str
    demonstrated: bool
    data: Dataset
    model: ModelOptions

    @property
    def segments(self) -> tuple[Segment, ...]:
        """The rows."""
        return self.data.train.segments

    @property
    def inputs(self) -> list[FloatArray]:
        """The input columns of each segment, ``(T_k, I)``."""
        return [segment.inputs for segment in self.segments]

    @property
    def signals(self) -> list[FloatArray]:
        """Inputs, then targets, of each segment, ``(T_k, I + M)``; of classes their index."""
        return [
            np.column_stack([segment.inputs, np.asarray(segment.targets, dtype=np.float64)])
            for segment in self.segments
        ]

    @property
    def signal_names(self) -> tuple[str, ...]:
        """Names of the columns of `signals`."""
        suffix = "_next" if self.data.kind == "prediction" else ""
        return self.data.input_names + tuple(f"{name}{suffix}" for name in self.data.target_names)


def load_subject(plan: Plan, seed: int) -> Subject:
    """The rows that ``plan`` would train on; ``seed`` chooses an expert's demonstrations.

    Raises:
        LtcEdgeError: they cannot be read or played.
    """
    assert plan.model is not None
    if isinstance(plan.source, ClosedLoopSource):
        assert isinstance(plan.options, ImitationOptions)
        data = demonstrations(plan.source.load(), plan.options, seed)
        return Subject(plan.source.name, True, data, plan.model)
    data, _ = plan.source.load()
    rows = Split(data.train.segments + data.validation.segments)
    normalizer = data.target_normalizer
    if normalizer is not None:  # errors are in units of the variance of all rows
        targets = [np.asarray(segment.targets, dtype=np.float64) for segment in rows.segments]
        normalizer = fit_normalizer(targets, data.target_names)
    merged = dataclasses.replace(data, train=rows, target_normalizer=normalizer)
    return Subject(plan.source.name, False, merged, plan.model)
