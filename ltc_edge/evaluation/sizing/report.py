"""All that is said of a subject's size."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from ltc_edge.errors import RecordingError
from ltc_edge.evaluation.sizing import law
from ltc_edge.evaluation.sizing.autocorrelation import Memory, independent_rows, memory_of
from ltc_edge.evaluation.sizing.dimension import Dimension, effective_dimension
from ltc_edge.evaluation.sizing.folds import Folds, make_folds
from ltc_edge.evaluation.sizing.learning_curve import CELLS, WIDTHS, Curve, Work, learning_curve
from ltc_edge.evaluation.sizing.points import Points, draw_points
from ltc_edge.evaluation.sizing.recommendation import Recommendation, recommend
from ltc_edge.evaluation.sizing.subject import Subject
from ltc_edge.training.options import CellKind

LONGEST_GAP_SHARE = 0.25
"""Of a stretch that is held out: no more rows beside it are left out of training."""


@dataclass(frozen=True)
class Options:
    """What is asked.

    Attributes:
        cells: whose learning curve is taken; none for no curve.
        widths: units tried.
        folds: parts that are held out in turn.
        work: what every network gets.
        seed: of all that is drawn.
    """

    cells: tuple[CellKind, ...] = CELLS
    widths: tuple[int, ...] = WIDTHS
    folds: int = 3
    work: Work = field(default_factory=Work)
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Sizing:
    """What was found.

    Attributes:
        subject: of which.
        memory: of its signals, inputs and targets.
        windows: independent ones, n.
        dimension: of its inputs.
        folds: how the curve was cross-validated; None without a curve.
        curve: None where none was asked for, or could be had.
        no_curve: why there is none, where it was asked for.
        recommendations: by cell.
        premises: of the law of robustness.
    """

    subject: Subject
    memory: Memory
    windows: float
    dimension: Dimension
    folds: Folds | None
    curve: Curve | None
    no_curve: str | None
    recommendations: dict[str, Recommendation]
    premises: tuple[law.Premise, ...]

    @property
    def slowest(self) -> str:
        """Name of the signal that remembers longest."""
        return self.subject.signal_names[self.memory.slowest]

    @property
    def smooth_parameters(self) -> float:
        """n·d_eff."""
        return law.parameters_for_smoothness(self.windows, self.dimension.estimate.value)

    @property
    def interpolating_parameters(self) -> float:
        """n times the outputs: about where a network can fit every window."""
        return self.windows * self.subject.data.outputs


def size(
    subject: Subject, options: Options, on_share: Callable[[str, float], None] = lambda *_: None
) -> Sizing:
    """Size ``subject``; ``on_share`` takes the stage and the share of it that is done.

    Raises:
        RecordingError: too few rows, or inputs that never change.
        InputError: a width does not fit a cell.
        MissingExtraError: an extra is not installed.
    """
    memory = memory_of(subject.signals)
    points = draw_points(subject.inputs, memory)
    dimension = effective_dimension(
        points, options.seed, lambda share: on_share("effective dimension", share)
    )
    window = subject.data.window_length
    lengths = [segment.rows for segment in subject.segments if segment.rows >= window]
    windows = independent_rows(lengths, max(float(window), memory.longest))
    folds, curve, refused = _curve(subject, options, memory, lambda share: on_share("learning curves", share))
    recommendations = (
        {}
        if curve is None
        else {cell: recommend(curve.of(cell), curve.guess, windows) for cell in curve.cells}
    )
    premises = _premises(subject, memory, points, curve)
    return Sizing(subject, memory, windows, dimension, folds, curve, refused, recommendations, premises)


def _curve(
    subject: Subject, options: Options, memory: Memory, on_share: Callable[[float], None]
) -> tuple[Folds | None, Curve | None, str | None]:
    """Folds and curve, or why there are none where they were asked for."""
    if not options.cells:
        return None, None, None
    window = subject.data.window_length
    try:
        folds = make_folds(subject.segments, options.folds, window, _gap(subject, options, memory))
    except RecordingError as error:
        return None, None, str(error)
    curve = learning_curve(subject, folds.folds, options.cells, options.widths, options.work, on_share)
    return folds, curve, None


def _gap(subject: Subject, options: Options, memory: Memory) -> int:
    """Rows beside a held-out stretch that are not trained on: what is remembered, as far as there is room."""
    stretch = max(segment.rows for segment in subject.segments) / options.folds
    return int(max(subject.data.window_length, min(memory.longest, LONGEST_GAP_SHARE * stretch)))


def _premises(
    subject: Subject, memory: Memory, points: Points, curve: Curve | None
) -> tuple[law.Premise, ...]:
    candidates = () if curve is None else curve.candidates
    return (
        law.independence(
            sum(segment.rows for segment in subject.segments),
            subject.data.window_length,
            memory.longest,
            subject.signal_names[memory.slowest],
            resolved=memory.all_resolved,
        ),
        law.isoperimetry(points.values),
        law.bounded_weights(max((each.largest_weight for each in candidates), default=None)),
        law.fit_below_noise(
            min((float(np.mean(each.trained)) for each in candidates), default=None),
            min((float(np.mean(each.held_out)) for each in candidates), default=None),
        ),
        law.known_constant(),
    )
