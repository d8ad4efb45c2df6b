"""The range in which an LTC's state provably stays.

Hasani et al., AAAI 2021, theorem 2; for the fused solver by convexity: with conductances that are not
negative, each sub-step is a convex combination of v_i, vleak_i, the reversal potentials of the synapses
into neuron i, and 0 (through the solver's epsilon). So for any dt > 0 and any input that is not NaN the
state stays between the least and the greatest of these. Fixed-point formats need no calibration then.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ltc_edge.cells.spec import LTCSpec
from ltc_edge.controller import Controller
from ltc_edge.errors import InputError


@dataclass(frozen=True, eq=False)
class StateBounds:
    """Least and greatest value of each neuron, each ``(N,)``."""

    low: npt.NDArray[np.float64]
    high: npt.NDArray[np.float64]


def state_bounds(controller: Controller) -> StateBounds:
    """Bounds on the state of an LTC controller that starts from its initial state.

    Raises:
        InputError: the cell is not an LTC with the fused solver, for which nothing is proved.
    """
    spec = controller.cell
    if not isinstance(spec, LTCSpec) or spec.solver != "fused":
        raise InputError(f"the state is proved bounded for an LTC with the fused solver, not for {spec.kind}")
    parameters = controller.parameters
    low = np.minimum(0.0, np.minimum(controller.initial_state, parameters["vleak"])).astype(np.float64)
    high = np.maximum(0.0, np.maximum(controller.initial_state, parameters["vleak"])).astype(np.float64)
    for synapses, erev in (
        (spec.wiring.synapses, parameters["erev"]),
        (spec.wiring.sensory_synapses, parameters["sensory_erev"]),
    ):
        np.minimum.at(low, synapses[:, 1], erev)
        np.maximum.at(high, synapses[:, 1], erev)
    return StateBounds(low, high)
