"""Golden vectors of a generated controller: what its C must give, to the last bit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ltc_edge.controller import Controller
from ltc_edge.export.c.arithmetic import Float32, maximum, minimum
from ltc_edge.export.c.emulate import run_steps
from ltc_edge.export.c.guard import Guard
from ltc_edge.export.c.steps import Steps
from ltc_edge.export.c.substeps import SECONDS
from ltc_edge.export.program import OBSERVATION, STATE_IN

STEPS = 24
SEED = 20_061


@dataclass(frozen=True, eq=False)
class Golden:
    """``observation`` ``(T, I)``, ``dt`` ``(T,)`` in s, ``action`` ``(T, M)``; checksum of the last state."""

    observation: Float32
    dt: Float32
    action: Float32
    checksum: int


class Emulator(Protocol):
    """A generated controller on valid inputs, in NumPy; ``state`` holds the items of its context."""

    state: npt.NDArray[Any]

    def step(self, observation: Float32, dt: np.float32) -> Float32:
        """The action ``(M,)`` for an observation ``(I,)``, all float32."""
        ...


class Float32Emulator:
    """A generated float32 controller.

    Args:
        steps: its steps.
        guard: its limits.
    """

    def __init__(self, steps: Steps, guard: Guard) -> None:
        self._steps, self._guard = steps, guard
        self.state = guard.initial_state.copy()

    def step(self, observation: Float32, dt: np.float32) -> Float32:
        """See `Emulator.step`."""
        guard = self._guard
        seconds = minimum(maximum(np.atleast_1d(dt), guard.dt_range[:1]), guard.dt_range[1:])
        inputs = {OBSERVATION: observation, SECONDS: seconds, STATE_IN: self.state}
        tensors = run_steps(self._steps, inputs)
        action = maximum(minimum(tensors[self._steps.action], guard.action_high), guard.action_low)
        self.state = tensors[self._steps.state].copy()
        if guard.slew is not None:
            reach, previous = guard.slew * seconds, inputs[STATE_IN][len(self.state) :]
            action = maximum(minimum(action, previous + reach), previous - reach)
            self.state = np.concatenate([self.state, action])
        return action


def golden(controller: Controller, emulator: Emulator) -> Golden:
    """The first steps of ``emulator`` after a reset.

    Inputs are made of whole numbers and single IEEE operations, so that every machine makes the same.
    """
    rng = np.random.default_rng(SEED)
    normalizer, timing = controller.normalizer, controller.timing
    z = rng.integers(-1024, 1025, size=(STEPS, len(normalizer.offset))) / 512.0
    observation = (normalizer.offset + normalizer.scale * z).astype(np.float32)
    share = rng.integers(0, 257, size=STEPS) / 256.0
    dt = (timing.dt_min_s + share * (timing.dt_max_s - timing.dt_min_s)).astype(np.float32)
    dt[::2] = np.float32(timing.period_s)
    with np.errstate(all="ignore"):
        action = np.stack([emulator.step(x, t) for x, t in zip(observation, dt, strict=True)])
    return Golden(observation, dt, action, checksum(emulator.state))


def checksum(state: npt.NDArray[Any]) -> int:
    """``ltc_checksum_f32`` and ``ltc_checksum_i16``: of the bits of each item."""
    total = 1
    for word in state.view({2: np.uint16, 4: np.uint32}[state.dtype.itemsize]).tolist():
        total = (total * 31 + word) & 0xFFFFFFFF
    return total
