"""Where each number of a controller's state lies, by proof: a state beyond was corrupted."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ltc_edge.arrays import FloatArray
from ltc_edge.cells.spec import BOUNDED_SOLVERS, CellSpec, CfCSpec, GatedSpec, LTCSpec, MixedMemorySpec
from ltc_edge.controller import Controller
from ltc_edge.export.ltc_bounds import StateBounds, state_bounds

Array = npt.NDArray[np.float64]

MEMORY = 2.0**24
"""An LSTM's memory grows by at most 1 a step, and in float32 16777216 + 1 is 16777216."""

LARGEST = float(np.finfo(np.float32).max)
"""Of what nothing is proved: any finite number."""

ROUNDING = 1e-5
"""How far float32 arithmetic may leave a bound of real arithmetic, relatively and absolutely."""


def proved_bounds(controller: Controller) -> StateBounds:
    """Bounds of the cell's state as float32 arithmetic keeps them, each ``(S,)``."""
    reach = _bounds(controller.cell, controller, controller.initial_state)
    low = np.minimum(reach.low, controller.initial_state)
    high = np.maximum(reach.high, controller.initial_state)
    room = ROUNDING * (1.0 + np.maximum(np.abs(low), np.abs(high)))
    return StateBounds(np.maximum(low - room, -LARGEST), np.minimum(high + room, LARGEST))


def _bounds(spec: CellSpec, controller: Controller, initial: FloatArray) -> StateBounds:
    if isinstance(spec, MixedMemorySpec):
        units = spec.units
        # The memory hands over tanh(c)·σ(o): the cell's state starts from anywhere in [−1, 1].
        handed = StateBounds(-np.ones(units), np.ones(units))
        inner = (
            _ltc(spec.cell, controller, handed)
            if isinstance(spec.cell, LTCSpec)
            else _bounds(spec.cell, controller, initial[:units])
        )
        memory = np.full(units, MEMORY)
        return StateBounds(np.concatenate([inner.low, -memory]), np.concatenate([inner.high, memory]))
    if isinstance(spec, LTCSpec):
        return _ltc(spec, controller, StateBounds(initial, initial))
    if isinstance(spec, CfCSpec):
        return _symmetric(_cfc(spec, controller))
    if isinstance(spec, GatedSpec) and spec.kind == "lstm":
        return _symmetric(np.concatenate([np.ones(spec.units), np.full(spec.units, MEMORY)]))
    # A mix of the last state with values of tanh.
    return _symmetric(np.maximum(1.0, np.abs(initial)))


def _symmetric(reach: Array) -> StateBounds:
    return StateBounds(-reach, reach)


def _ltc(spec: LTCSpec, controller: Controller, start: StateBounds) -> StateBounds:
    if spec.solver not in BOUNDED_SOLVERS:
        return _symmetric(np.full(spec.units, LARGEST))
    return state_bounds(spec, controller.parameters, start)


def _cfc(spec: CfCSpec, controller: Controller) -> Array:
    if spec.mode != "pure":
        return np.full(spec.units, 2.0 if spec.mode == "no_gate" else 1.0)
    # |A − A·f·exp(−t·(|w| + |f|))| ≤ |A|·(1 + max |f|·exp(−t·|f|)) = |A|·(1 + 1/(e·t)).
    shortest = controller.timing.dt_min_s / controller.timing.time_unit_s
    prefixes = [""] if spec.wiring is None else [f"layer_{index}_" for index in range(len(spec.layers()))]
    ends = np.concatenate([np.abs(controller.parameters[f"{prefix}A"].ravel()) for prefix in prefixes])
    return np.asarray(ends * (1.0 + 1.0 / (np.e * shortest)), dtype=np.float64)
