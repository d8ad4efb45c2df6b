"""How steep a trained network is where its test windows lead it."""

from __future__ import annotations

import numpy as np

from ltc_edge.controller import Controller
from ltc_edge.evaluation.descent.subject import Subject
from ltc_edge.evaluation.lipschitz.bracket import lipschitz_brackets, steps_of
from ltc_edge.runtimes.reference import ReferenceBatch

BRACKETED_WINDOWS = 16
RADIUS = 0.05
"""Half the width of the boxes of observations, in normalised units."""


def last_step_lipschitz(subject: Subject, controller: Controller) -> tuple[float, float] | None:
    """Bounds of the Lipschitz constant of a window's last step, from normalised observation to output.

    The greatest over boxes of ± `RADIUS` around the last rows of `BRACKETED_WINDOWS` test windows, in the
    states that the rows before lead to: as `lipschitz_brackets` has them. Over all rows of a window the
    upper bound would be too loose to say anything of wide networks.

    Returns:
        Lower and upper bound; None where nothing bounds it above.
    """
    count = min(BRACKETED_WINDOWS, len(subject.test))
    chosen = subject.test.choose(np.linspace(0, len(subject.test) - 1, count).astype(np.int64))
    batch = ReferenceBatch(controller)
    batch.reset(count)
    for row in range(chosen.inputs.shape[1] - 1):
        batch.step(chosen.inputs[:, row], chosen.dt_s[:, row])
    steps = steps_of(controller, chosen.inputs[:, -1:], batch.state, chosen.dt_s[:, -1:])
    brackets = lipschitz_brackets(controller, steps, RADIUS, budget=1)
    lower, upper = float(brackets.lower.max()), float(brackets.upper.max())
    return (lower, upper) if np.isfinite(upper) else None
