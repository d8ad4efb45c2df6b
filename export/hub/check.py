"""Does a hub compute what its stages say? The bodies of its functions are run, not read.

A stage's meaning is the domain's, so a controller read from a foreign file does not depend on the bodies
in it. But whoever made the file ran those bodies. If they compute something else, then what is exported
is not what was tried, and the file is refused.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from ltc_edge.cells.spec import BOUNDED_SOLVERS, LTCSpec, MixedMemorySpec
from ltc_edge.controller import Controller
from ltc_edge.errors import ControllerFileError
from ltc_edge.runtimes.onnx_runtime import OnnxStepper
from ltc_edge.runtimes.reference import ReferenceStepper

STEPS = 64
TOLERANCE = 1e-4
"""Of an action's or state's own size. A step in float32 is a hundred times closer."""


def check_hub_means_what_it_says(source: Path | str | bytes, controller: Controller) -> None:
    """Run ``source`` in ONNX Runtime beside the reference of ``controller``, which was read from it.

    Raises:
        ControllerFileError: ONNX Runtime refuses the file, or the two differ by more than `TOLERANCE`.
    """
    where = "this hub" if isinstance(source, bytes) else str(source)
    theirs, ours = OnnxStepper(source, controller), ReferenceStepper(controller)
    observations, spans = probes(controller, STEPS)
    actions, states = [], []
    for observation, dt in zip(observations, spans, strict=True):
        try:
            got = theirs.step(observation, float(dt))
        except Exception as error:  # ONNX Runtime's errors have no common base but this
            reason = " ".join(str(error).split())[:200]
            raise ControllerFileError(f"{where}: ONNX Runtime cannot run it ({reason})") from None
        actions.append((got, ours.step(observation, float(dt))))
        states.append((theirs.state, ours.state))
    for what, pairs in (("action", actions), ("state", states)):
        got, expected = (np.array(values) for values in zip(*pairs, strict=True))
        size = np.maximum(np.abs(expected).max(axis=0), controller_scale(controller, what))
        distance = np.abs(got - expected) / size
        if not (distance <= TOLERANCE).all():  # a NaN is not
            step, channel = (int(i) for i in np.argwhere(~(distance <= TOLERANCE))[0])
            raise ControllerFileError(
                f"{where}: its functions compute another controller than its stages say: {what} {channel} "
                f"is {got[step, channel]:.6g} instead of {expected[step, channel]:.6g} at step {step}; "
                "write the bodies as docs/onnx-domain.md has the formulas"
            )


def controller_scale(controller: Controller, what: str) -> npt.NDArray[np.float64]:
    """What a difference is measured against where values are small: an action's scale, or 1 for a state."""
    scale = controller.denormalizer.scale.astype(np.float64)
    if what == "action":
        return scale
    cell = np.ones(controller.cell.state_size)
    return np.concatenate([cell, scale]) if controller.is_slew_limited else cell


def probes(
    controller: Controller, steps: int, seed: int = 0
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Raw observations ``(steps, I)`` over the normaliser's range, and dt ``(steps,)`` over its range."""
    rng = np.random.default_rng(seed)
    normalizer, timing = controller.normalizer, controller.timing
    z = rng.normal(size=(steps, controller.cell.inputs)) * min(2.0, controller.input_limit)
    # About the period: a range of dt may span many orders of magnitude, and few controllers live there.
    spans = timing.period_s * 2.0 ** rng.uniform(-2.0, 2.0, size=steps)
    cell = controller.cell.cell if isinstance(controller.cell, MixedMemorySpec) else controller.cell
    if isinstance(cell, LTCSpec) and cell.solver not in BOUNDED_SOLVERS:
        # An explicit solver diverges beyond its range, and then no two roundings agree.
        spans = np.minimum(spans, timing.period_s)
    else:
        low, high = np.log([timing.dt_min_s, timing.dt_max_s])
        spans[::8] = np.exp(rng.uniform(low, high, size=len(spans[::8])))
    clipped = np.clip(spans, timing.dt_min_s, timing.dt_max_s)
    return _as_float32(normalizer.offset + normalizer.scale * z), _as_float32(clipped)


def _as_float32(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """What the file is fed, so that the reference is fed the same."""
    return values.astype(np.float32).astype(np.float64)
