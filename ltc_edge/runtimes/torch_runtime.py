"""A controller in torch, as a `Stepper` and over a batch of episodes."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from ltc_edge.arrays import FloatArray
from ltc_edge.controller import Controller
from ltc_edge.network import Network
from ltc_edge.runtimes.stepper import check_state, check_step_input


class TorchBatch:
    """A network over ``B`` independent states, in the precision of its parameters."""

    def __init__(self, network: Network) -> None:
        self._network = network
        template = network.controller()
        low, high = template.limits
        self._timing = template.timing
        self._low, self._high = self._tensor(low), self._tensor(high)
        self._slew = self._tensor(template.slew) if template.is_slew_limited else None
        self._fallback = self._tensor(template.fallback)
        self.reset(1)

    def _tensor(self, array: FloatArray) -> Tensor:
        return torch.as_tensor(np.asarray(array)).to(self._network.dtype)

    def reset(self, size: int) -> None:
        """Start ``size`` new episodes."""
        self._cell_state = self._network.initial.expand(size, -1)
        self._previous = self._fallback.expand(size, -1)

    @property
    def state(self) -> FloatArray:
        """Copies of the states, ``(B, state_size)``."""
        parts = [self._cell_state] if self._slew is None else [self._cell_state, self._previous]
        return torch.cat(parts, dim=1).numpy().copy()

    def restore(self, states: FloatArray) -> None:
        """Go on from ``states``, ``(B, state_size)``."""
        size = self._network.initial.shape[-1]
        self._cell_state, self._previous = self._tensor(states[:, :size]), self._tensor(states[:, size:])

    @torch.no_grad()
    def step(self, observation: FloatArray, dt_s: FloatArray) -> FloatArray:
        """Actions ``(B, M)`` for observations ``(B, I)``, ``dt_s`` ``(B,)`` seconds after the last step."""
        dt = self._tensor(dt_s)[:, None]
        readout, self._cell_state = self._network(self._tensor(observation)[:, None, :], dt, self._cell_state)
        action = self._network.actions(readout[:, 0]).clamp(self._low, self._high)
        if self._slew is not None:
            reach = self._slew * dt.clamp(self._timing.dt_min_s, self._timing.dt_max_s)
            action = torch.maximum(torch.minimum(action, self._previous + reach), self._previous - reach)
            self._previous = action
        return action.numpy().copy()


class TorchStepper:
    """`Stepper` over torch."""

    def __init__(self, controller: Controller) -> None:
        self._inputs, self._state_size = controller.cell.inputs, controller.state_size
        self._batch = TorchBatch(Network(controller))

    @property
    def state(self) -> FloatArray:
        """A copy of the state, ``(state_size,)``."""
        state: FloatArray = self._batch.state[0]
        return state

    def reset(self) -> None:
        """Return to the state before the first step."""
        self._batch.reset(1)

    def restore(self, state: FloatArray) -> None:
        """Go on from ``state``, ``(state_size,)``."""
        self._batch.restore(check_state(state, self._state_size)[None])

    def hold(self) -> Any:
        """See `Stepper.hold`."""
        return self.state

    def resume(self, held: Any) -> None:
        """See `Stepper.resume`."""
        self._batch.restore(held[None])

    def step(self, observation: FloatArray, dt: float) -> FloatArray:
        """One step; see `Stepper.step`."""
        values = check_step_input(observation, dt, self._inputs)
        action: FloatArray = self._batch.step(values[None, :], np.array([dt]))[0]
        return action
