"""The effective dimension of windows, against which the law of robustness counts parameters."""

from __future__ import annotations

from ltc_edge.evaluation.descent.subject import Subject
from ltc_edge.evaluation.sizing.autocorrelation import memory_of
from ltc_edge.evaluation.sizing.dimension import Dimension, effective_dimension
from ltc_edge.evaluation.sizing.points import draw_points

DIMENSION_SEED = 0


def window_dimension(subject: Subject) -> Dimension:
    """The effective dimension of the training windows, each a point of ``L·I`` numbers.

    Raises:
        RecordingError: there are too few windows that are apart in time.
        MissingExtraError: SciPy is not installed.
    """
    segments = [segment.inputs for segment in subject.data.train.segments]
    points = draw_points(segments, memory_of(segments), history=subject.train.inputs.shape[1])
    return effective_dimension(points, DIMENSION_SEED)
