"""What is fine-tuned, seen as a float network or, in `quantization_aware`, as its integers."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from ltc_edge.arrays import FloatArray
from ltc_edge.evaluation.rollout import Policy
from ltc_edge.network import Network
from ltc_edge.runtimes.torch_runtime import TorchBatch


class Student(Protocol):
    """A network under training, as that computes it which will be exported.

    Attributes:
        network: holds the parameters.
    """

    network: Network

    def refresh(self) -> None:
        """Renew what is held between updates."""
        ...

    def policy(self) -> Policy:
        """The present controller, to act in closed loops."""
        ...

    def replay(self, observation: FloatArray, dt_s: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Run sequences from the reset, without gradient.

        Args:
            observation: raw sensor values, ``(B, T, I)``.
            dt_s: seconds before each step, ``(B, T)``.

        Returns:
            Actions ``(B, T, M)`` within their limits, before their slew is limited, and the raw state
            before each step, ``(B, T, S)``.
        """
        ...

    def actions(self, observation: FloatArray, dt_s: FloatArray, state: FloatArray) -> Tensor:
        """The same actions from ``state`` ``(B, S)`` on, with a gradient."""
        ...


class FloatStudent:
    """The network itself."""

    def __init__(self, network: Network) -> None:
        self.network = network
        controller = network.controller()
        self._limits = [self._tensor(limit) for limit in controller.limits]
        self._initial = controller.initial_state

    def refresh(self) -> None:
        """Nothing is held."""

    def policy(self) -> Policy:
        """The network in torch."""
        return TorchBatch(self.network)

    @torch.no_grad()
    def replay(self, observation: FloatArray, dt_s: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Run sequences from the reset; see `Student`."""
        inputs, times = self._tensor(observation), self._tensor(dt_s)
        state = self._tensor(np.tile(self._initial, (len(dt_s), 1)))
        readouts, states = [], []
        for step in range(dt_s.shape[1]):
            states.append(state)
            readout, state = self.network(inputs[:, step : step + 1], times[:, step : step + 1], state)
            readouts.append(readout)
        actions = self.network.actions(torch.cat(readouts, dim=1)).clamp(*self._limits)
        return actions.numpy(), torch.stack(states, dim=1).numpy()

    def actions(self, observation: FloatArray, dt_s: FloatArray, state: FloatArray) -> Tensor:
        """Actions from ``state`` on; limits pass the gradient of what was asked for."""
        readout, _ = self.network(self._tensor(observation), self._tensor(dt_s), self._tensor(state))
        asked: Tensor = self.network.actions(readout)
        return straight_through(asked, asked.detach().clamp(*self._limits))

    def _tensor(self, values: FloatArray) -> Tensor:
        return torch.as_tensor(np.ascontiguousarray(values)).to(self.network.dtype)


def straight_through(differentiable: Tensor, value: Tensor) -> Tensor:
    """``value``, with the gradient of ``differentiable``."""
    return value + (differentiable - differentiable.detach())
