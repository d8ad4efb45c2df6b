"""Golden vectors of a generated controller: what its C must give, to the last bit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ltc_edge.controller import Controller
from ltc_edge.export.c.arithmetic import Float32, maximum, minimum
from ltc_edge.export.c.emulate import run_steps
from ltc_edge.export.c.guard import Guard
from ltc_edge.export.c.lowering import SECONDS
from ltc_edge.export.c.steps import Steps
from ltc_edge.export.program import OBSERVATION, STATE_IN

STEPS = 24
SEED = 20_061


@dataclass(frozen=True, eq=False)
class Golden:
    """``observation`` ``(T, I)``, ``dt`` ``(T,)`` in s, ``action`` ``(T, M)``; ``state`` ``(S,)`` at last."""

    observation: Float32
    dt: Float32
    action: Float32
    state: Float32


class Emulator:
    """A generated controller on valid inputs, in NumPy.

    Args:
        steps: its steps.
        guard: its limits.
    """

    def __init__(self, steps: Steps, guard: Guard) -> None:
        self._steps, self._guard = steps, guard
        self.state = guard.initial_state.copy()
        self._previous = guard.fallback.copy()

    def step(self, observation: Float32, dt: np.float32) -> Float32:
        """The action ``(M,)`` for an observation ``(I,)``, all float32."""
        guard = self._guard
        seconds = minimum(maximum(np.atleast_1d(dt), guard.dt_range[:1]), guard.dt_range[1:])
        inputs = {OBSERVATION: observation, SECONDS: seconds, STATE_IN: self.state}
        tensors = run_steps(self._steps, inputs)
        action = maximum(minimum(tensors[self._steps.action], guard.action_high), guard.action_low)
        if guard.slew is not None:
            reach = guard.slew * seconds
            action = maximum(minimum(action, self._previous + reach), self._previous - reach)
        self.state, self._previous = tensors[self._steps.state].copy(), action
        return action


def golden(controller: Controller, steps: Steps, guard: Guard) -> Golden:
    """The first steps after a reset.

    Inputs are made of whole numbers and single IEEE operations, so that every machine makes the same.
    """
    rng = np.random.default_rng(SEED)
    normalizer, timing = controller.normalizer, controller.timing
    z = rng.integers(-1024, 1025, size=(STEPS, len(normalizer.offset))) / 512.0
    observation = (normalizer.offset + normalizer.scale * z).astype(np.float32)
    share = rng.integers(0, 257, size=STEPS) / 256.0
    dt = (timing.dt_min_s + share * (timing.dt_max_s - timing.dt_min_s)).astype(np.float32)
    dt[::2] = np.float32(timing.period_s)
    emulator = Emulator(steps, guard)
    with np.errstate(all="ignore"):
        action = np.stack([emulator.step(x, t) for x, t in zip(observation, dt, strict=True)])
    return Golden(observation, dt, action, emulator.state)
