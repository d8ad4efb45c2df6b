"""How far back a trained controller reaches, measured where its task takes it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ltc_edge.controller import Controller
from ltc_edge.errors import InputError
from ltc_edge.evaluation.memory.gradient import Gradients, InputSequences, gradients_by_lag
from ltc_edge.evaluation.visited import Visited

FEWEST_LAGS = 2
"""With fewer there is nothing to fall."""


@dataclass(frozen=True, eq=False)
class Reach:
    """Gradients by lag of a controller, and of the same before it was trained.

    Attributes:
        lags: measured, from 0 to one less than this.
        sequences: that they are the root mean square over.
        trained: of the controller.
        untrained: of what it started from, along the same inputs; None where that is not known.
    """

    lags: int
    sequences: int
    trained: Gradients
    untrained: Gradients | None


def measure_reach(controller: Controller, untrained: Controller | None, sequences: InputSequences) -> Reach:
    """Gradients along ``sequences``; the untrained controller, of the same cell, goes from the same states.

    Raises:
        InputError: the sequences are too short or none.
    """
    count, steps = sequences.dt_s.shape
    if count == 0 or steps < FEWEST_LAGS:
        raise InputError(
            f"gradients by lag need sequences of at least {FEWEST_LAGS} steps; ask for more --lags"
        )
    trained = gradients_by_lag(controller, sequences)
    before = None if untrained is None else gradients_by_lag(untrained, sequences)
    return Reach(steps, count, trained, before)


def pieces_of(visited: Visited, steps: int, most: int) -> InputSequences:
    """At most ``most`` pieces of ``steps`` steps of the episodes, each from the state that was held there.

    Where every episode is shorter, the pieces are as long as the longest episode.
    """
    length = visited.valid.sum(axis=1)
    steps = min(steps, int(length.max(initial=0)))
    if steps == 0:
        raise InputError("no episode has a step to measure gradients on")
    starts = [(e, first) for e in range(len(length)) for first in range(0, int(length[e]) - steps + 1, steps)]
    chosen = np.array(starts[:: -(-len(starts) // most)])
    at = chosen[:, :1], chosen[:, 1:] + np.arange(steps)
    return InputSequences(
        visited.observation[at], visited.dt_s[at], visited.state[chosen[:, 0], chosen[:, 1]]
    )
