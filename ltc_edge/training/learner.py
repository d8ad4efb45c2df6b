"""A network with its optimiser: the part of a run that learns, and that a checkpoint must hold."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from ltc_edge.arrays import FloatArray
from ltc_edge.controller import Controller
from ltc_edge.errors import TrainingDivergedError
from ltc_edge.network import Network
from ltc_edge.training.adamw import MOMENTS, AdamW

MAX_GRADIENT_NORM = 1.0
FINAL_RATE = 0.02
"""What is left of the learning rate at the end, as a share of its start."""


def cosine_rate(start: float, progress: float) -> float:
    """The learning rate after a share ``progress`` of the run (Loshchilov & Hutter 2017)."""
    falling = 0.5 * (1.0 + math.cos(math.pi * min(progress, 1.0)))
    return start * (FINAL_RATE + (1.0 - FINAL_RATE) * falling)


class Learner:
    """A network and AdamW, whose whole state can be taken out as arrays and put back bit for bit."""

    def __init__(self, controller: Controller, *, weight_decay: float = 0.0) -> None:
        self.network = Network(controller)
        self._optimiser = AdamW(dict(self.network.named_parameters()), weight_decay)
        self.updates = 0

    def update(self, loss: Tensor, learning_rate: float) -> float:
        """One optimiser step down the gradient of ``loss``; returns the loss.

        Raises:
            TrainingDivergedError: the loss or the gradient is not finite; the network is left as it was.
        """
        value = loss.item()
        self._optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        norm = torch.nn.utils.clip_grad_norm_(self.network.parameters(), MAX_GRADIENT_NORM)
        if not (math.isfinite(value) and math.isfinite(norm.item())):
            raise TrainingDivergedError(
                f"the loss is {value} (gradient norm {norm.item()}) at update {self.updates + 1}; "
                "try a smaller --learning-rate, and look at the data for outliers"
            )
        self._optimiser.step(learning_rate)
        self.network.constrain()
        self.updates += 1
        return value

    def controller(self) -> Controller:
        """The controller with the present parameters."""
        return self.network.controller()

    def arrays(self) -> dict[str, FloatArray]:
        """Parameters and moments by name."""
        arrays: dict[str, FloatArray] = {"updates": np.array([self.updates], dtype=np.float64)}
        for name, parameter in self.network.named_parameters():
            arrays[f"parameter.{name}"] = parameter.detach().numpy().copy()
            for key, value in self._optimiser.moments.get(name, {}).items():
                arrays[f"adam.{key}.{name}"] = value.numpy().copy()
        return arrays

    def load(self, arrays: Mapping[str, FloatArray]) -> None:
        """Put back what `arrays` gave."""
        self.updates = int(arrays["updates"][0])
        with torch.no_grad():
            for name, parameter in self.network.named_parameters():
                parameter.copy_(torch.from_numpy(arrays[f"parameter.{name}"]))
                moments = {
                    key: torch.from_numpy(arrays[f"adam.{key}.{name}"].copy())
                    for key in MOMENTS
                    if f"adam.{key}.{name}" in arrays
                }
                if moments:
                    self._optimiser.moments[name] = moments
