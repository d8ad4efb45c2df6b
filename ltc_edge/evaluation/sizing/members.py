"""Networks of one shape trained side by side, one a fold, each on windows of its own."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Protocol

import torch
from torch import Tensor
from torch.func import functional_call, stack_module_state, vmap

from ltc_edge.controller import Controller
from ltc_edge.errors import TrainingDivergedError
from ltc_edge.network import Network
from ltc_edge.training.adamw import AdamW
from ltc_edge.training.learner import MAX_GRADIENT_NORM, Learner

Loss = Callable[[int, Tensor], Tensor]
"""The loss of a member, by its number, for its readout ``(B, L, M)``."""


class Members(Protocol):
    """``F`` networks that learn."""

    def update(self, inputs: Tensor, dt_s: Tensor, loss: Loss, rate: float) -> None:
        """One step of each on its own windows, ``(F, B, L, I)`` and ``(F, B, L)``.

        Raises:
            TrainingDivergedError: a loss is not finite.
        """
        ...

    def networks(self) -> list[Network]:
        """As they are now."""
        ...


def make_members(controllers: Sequence[Controller]) -> Members:
    """The quicker way for the kind of cell.

    Liquid cells have fused kernels. LSTM and GRU are small calls of torch, many a step, whose overhead is
    nearly all of the time: there one call does for all members.
    """
    return Stacked(controllers) if controllers[0].cell.kind in ("lstm", "gru") else Separate(controllers)


class Separate:
    """Members that learn one after the other."""

    def __init__(self, controllers: Sequence[Controller]) -> None:
        self._learners = [Learner(controller) for controller in controllers]

    def update(self, inputs: Tensor, dt_s: Tensor, loss: Loss, rate: float) -> None:
        """One step of each."""
        for member, learner in enumerate(self._learners):
            readout, _ = learner.network(inputs[member], dt_s[member])
            learner.update(loss(member, readout), rate)

    def networks(self) -> list[Network]:
        """As they are now."""
        return [learner.network for learner in self._learners]


class Stacked:
    """Members whose parameters are stacked, so that each call of torch is one for all of them.

    Their figures are those of `Separate`, to rounding: gradients are clipped and moments kept for each alone.
    Only for cells whose parameters need no projection.
    """

    def __init__(self, controllers: Sequence[Controller]) -> None:
        self._networks = [Network(controller) for controller in controllers]
        stacked, self._buffers = stack_module_state(self._networks)
        self._parameters = {name: each.detach().requires_grad_() for name, each in stacked.items()}
        self._optimiser = AdamW(self._parameters, 0.0)

        def readout(
            parameters: dict[str, Tensor], buffers: dict[str, Tensor], x: Tensor, dt: Tensor
        ) -> Tensor:
            result: Tensor = functional_call(self._networks[0], (parameters, buffers), (x, dt))[0]
            return result

        self._readout = vmap(readout)

    def update(self, inputs: Tensor, dt_s: Tensor, loss: Loss, rate: float) -> None:
        """One step of all."""
        readout = self._readout(self._parameters, self._buffers, inputs, dt_s)
        total = torch.stack([loss(member, each) for member, each in enumerate(readout)]).sum()
        self._optimiser.zero_grad()
        total.backward()  # type: ignore[no-untyped-call]
        norm = self._clip()
        if not math.isfinite(total.item()) or not math.isfinite(norm):
            raise TrainingDivergedError(
                f"the loss is {total.item()} (gradient norm {norm}); look at the data for outliers"
            )
        self._optimiser.step(rate)

    def _clip(self) -> float:
        """Limit each member's gradient; the largest norm there was."""
        gradients = [each.grad for each in self._parameters.values() if each.grad is not None]
        norm = torch.stack([each.flatten(1).square().sum(dim=1) for each in gradients]).sum(dim=0).sqrt()
        factor = (MAX_GRADIENT_NORM / (norm + 1e-6)).clamp(max=1.0)  # as torch's clip_grad_norm_ has it
        for each in gradients:
            each.mul_(factor.view(-1, *[1] * (each.ndim - 1)))
        return float(norm.max())

    @torch.no_grad()
    def networks(self) -> list[Network]:
        """As they are now."""
        for member, network in enumerate(self._networks):
            for name, parameter in network.named_parameters():
                parameter.copy_(self._parameters[name][member])
        return self._networks
