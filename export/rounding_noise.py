"""What the error of a quantised step is made of: weights that are a little off, and the noise of its grid.

Rounding a tensor to its 16-bit code is, along any trajectory that moves, as good as adding independent noise
as wide as a step (Widrow, Kollár, "Quantization Noise", 2008). What that noise does to the action depends on
the function that the controller computes. A weight can be chosen anew, and training may choose it better;
noise stays, whichever weights compute that function.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ltc_edge.controller import Controller
from ltc_edge.export.calibration import Sequences, saturating, unit_steps
from ltc_edge.export.execute import Hook, ProgramBatch
from ltc_edge.export.plan import TensorPlan
from ltc_edge.export.program import STATE_IN, STATE_OUT, Array, Binary, Concat, Program, Slice
from ltc_edge.export.quantize import QuantizedStep
from ltc_edge.export.simulate import rounding_hook, with_integer_weights, with_rounded_constants

REQUESTED = "readout.action"
"""The action before its slew is limited; every program has a tensor of that name."""


@dataclass(frozen=True)
class RoundingError:
    """RMS errors over σ of the action, the worst channel.

    Attributes:
        total: of the step in integers.
        weights: of the integers' weights and constants, in floating point.
        noise: of the exact weights, with noise of a step's width where integers round.
    """

    total: float
    weights: float
    noise: float

    @property
    def noise_share(self) -> float:
        """Share of the error's variance that is noise; 1 where there is no error."""
        return min((self.noise / self.total) ** 2, 1.0) if self.total > 0 else 1.0


def rounding_error(
    controller: Controller, quantized: QuantizedStep, sequences: Sequences, *, seed: int = 0
) -> RoundingError:
    """The error of ``quantized`` in free runs from the reset, and its parts.

    Args:
        controller: whose step it is.
        quantized: that step, as its plan has it.
        sequences: what to run over.
        seed: of the noise.
    """
    program = quantized.program
    integer = with_rounded_constants(with_integer_weights(program, quantized.dense), quantized.tensors)
    exact = saturating(program)
    wanted = _actions(controller, quantized, program, exact, sequences)
    sigma = np.maximum(wanted.std(axis=0), 1e-12)

    def error(tried: Program, hook: Hook) -> float:
        found = _actions(controller, quantized, tried, hook, sequences)
        return float((np.sqrt(((found - wanted) ** 2).mean(axis=0)) / sigma).max())

    return RoundingError(
        error(integer, rounding_hook(quantized.tensors)),
        error(integer, exact),
        error(program, noise_hook(program, quantized.tensors, seed)),
    )


def noise_hook(program: Program, tensors: Mapping[str, TensorPlan], seed: int) -> Hook:
    """A hook that adds noise, uniform over a step, to what integers round.

    What only moves codes, or chooses among them, rounds nothing.
    """
    rng = np.random.default_rng(seed)
    moved = {STATE_IN} | {o.output for o in program.operations if _moves(o)}
    exact = saturating(program)

    def noisy(name: str, values: Array) -> Array:
        if name in moved:
            return exact(name, values)
        added: Array = values + tensors[name].scale16 * rng.uniform(-0.5, 0.5, size=values.shape)
        return exact(name, added)

    return noisy


def _moves(operation: object) -> bool:
    compares = isinstance(operation, Binary) and operation.kind in ("minimum", "maximum")
    return compares or isinstance(operation, Slice | Concat)


def _actions(
    controller: Controller, quantized: QuantizedStep, program: Program, hook: Hook, sequences: Sequences
) -> Array:
    """Raw actions within their limits, before their slew is limited, of the steps there are, ``(K, M)``."""
    at = quantized.coordinates
    batch, steps = ProgramBatch(program, hook), unit_steps(controller, at, sequences)
    state = np.tile(at.state.to_fraction(controller.reset_state), (len(sequences.dt_s), 1))
    actions = []
    for index, (observation, dt) in enumerate(zip(steps.observation, steps.dt, strict=True)):
        tensors = batch.tensors(observation, dt, state)
        state = tensors[program.outputs[STATE_OUT]]
        actions.append(tensors[REQUESTED][sequences.valid[:, index]])
    return np.clip(at.action.to_raw(np.concatenate(actions)), *controller.limits)
