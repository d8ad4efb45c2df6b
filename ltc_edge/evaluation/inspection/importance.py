"""How much the actions change where a synapse says nothing: in which order synapses are removed.

The order only guides the search; whether something may go is decided by playing.
"""

from __future__ import annotations

import numpy as np

from ltc_edge.arrays import FloatArray
from ltc_edge.cells.spec import LTCSpec
from ltc_edge.controller import Controller
from ltc_edge.evaluation.inspection.drives import Situations, situations_of, unlimited
from ltc_edge.evaluation.inspection.held import NOTHING, HeldBatch, Hold, Holds
from ltc_edge.evaluation.inspection.means import Means
from ltc_edge.evaluation.inspection.parts import liquid
from ltc_edge.evaluation.inspection.removal import without_synapses
from ltc_edge.evaluation.visited import Visited
from ltc_edge.runtimes.reference import ReferenceBatch

ROWS = 8192
"""Situations times synapses that are computed at once."""


def importance(controller: Controller, visited: Visited, means: Means) -> FloatArray:
    """RMS change of the actions at the end of windows, ``(S,)``, in units of the action's scale.

    Each synapse is held at its mean, alone.
    """
    free = unlimited(controller)
    seen = situations_of(visited, seed=0)
    rows, count = len(seen.state), len(means.synapse)
    scale = controller.denormalizer.scale
    if not isinstance(liquid(controller.cell), LTCSpec):
        whole = _last_action(ReferenceBatch(free), seen, 1)[0]
        alone = (
            _last_action(
                ReferenceBatch(without_synapses(free, np.arange(count) == k, means.synapse)), seen, 1
            )[0]
            for k in range(count)
        )
        return np.array([_rms((action - whole) / scale) for action in alone])
    found = []
    size = max(ROWS // rows, 1)
    whole = _last_action(HeldBatch(free, Holds(NOTHING, NOTHING, NOTHING)), seen, 1)[0]
    for first in range(0, count, size):
        held = [k for k in range(first, min(first + size, count)) for _ in range(rows)]
        batch = HeldBatch(free, Holds(NOTHING, NOTHING, Hold.of(means.synapse, held)))
        found += [_rms((action - whole) / scale) for action in _last_action(batch, seen, len(held) // rows)]
    return np.array(found)


def _last_action(batch: ReferenceBatch, seen: Situations, copies: int) -> FloatArray:
    """Actions ``(copies, K, M)`` at the end of the windows."""
    cell_state = seen.state[:, : batch.controller.cell.state_size]
    batch.state = np.tile(cell_state, (copies, 1)).astype(np.float64)
    for t in range(seen.dt_s.shape[1]):
        action = batch.step(np.tile(seen.observation[:, t], (copies, 1)), np.tile(seen.dt_s[:, t], copies))
    return action.reshape(copies, len(cell_state), -1)


def _rms(values: FloatArray) -> float:
    return float(np.sqrt((values**2).mean()))
