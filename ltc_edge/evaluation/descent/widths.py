"""Which widths are swept: few, on both sides of as many parameters as there are labels."""

from __future__ import annotations

import numpy as np

from ltc_edge.evaluation.descent.outcome import Settings
from ltc_edge.evaluation.descent.subject import Subject
from ltc_edge.training.model import cell_spec, needs_readout

FEATURE_RATIOS = (0.1, 0.25, 0.5, 0.75, 0.9, 1.0, 1.1, 1.25, 1.5, 2.0, 4.0, 8.0, 16.0)
"""Parameters of random features over ``n·outputs``: close around the threshold, which is known."""

NETWORK_RATIOS = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
"""Parameters of a network over ``n·outputs``: a network needs many for each label."""

WIDEST = 256
"""Of the networks that are chosen here."""


def default_widths(subject: Subject, settings: Settings) -> tuple[int, ...]:
    """Widths whose parameters are nearest to the ratios, each once, ascending."""
    labels = settings.windows * subject.outputs
    if settings.cell == "random-features":
        return tuple(sorted({max(1, round(ratio * settings.windows)) for ratio in FEATURE_RATIOS}))
    counts = np.array([parameters(subject, settings, width) for width in range(1, WIDEST + 1)])
    nearest = {int(np.abs(np.log(counts / (ratio * labels))).argmin()) + 1 for ratio in NETWORK_RATIOS}
    return tuple(sorted(nearest))


def parameters(subject: Subject, settings: Settings, width: int) -> int:
    """Effective parameters of a model of this width.

    Raises:
        InputError: it would be too wide.
    """
    if settings.cell == "random-features":
        return width * subject.outputs
    from ltc_edge.evaluation.descent.network_fit import model_options

    options = model_options(settings.cell, width, settings.unfolds)
    cell = cell_spec(options, len(subject.data.input_names), subject.outputs)
    assert needs_readout(options)
    return cell.parameters_effective() + subject.outputs * (cell.outputs + 1)
