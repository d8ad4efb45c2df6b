"""Quantisation-aware training: the loss is that of the integers, the gradient that of the float network.

Every update quantises the present parameters anew, weights by the exporter's own rounding, and rolls the
batch through those integers. The float network is then run along that very trajectory, its states and
actions replaced by the integers', so that rounding is a constant to the gradient (the straight-through
estimator of Bengio, Léonard, Courville, arXiv 1308.3432). What is judged in training is thus the
controller that will be exported, bit for bit, with the noise of its rounding.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ltc_edge.arrays import FloatArray
from ltc_edge.evaluation.rollout import Policy
from ltc_edge.export.calibration import Measured, Sequences, measure
from ltc_edge.export.integer_rollout import IntegerBatch, IntegerRollout
from ltc_edge.export.quantize import QuantizedStep, quantize
from ltc_edge.network import Network
from ltc_edge.training.student import straight_through


class IntegerStudent:
    """A network as its integers compute it; see `Student`.

    Args:
        network: what is trained.
        calibration: what its ranges are measured on.

    Raises:
        FormatRefusedError: the controller has no integer form.
    """

    def __init__(self, network: Network, calibration: tuple[Sequences, ...]) -> None:
        self.network = network
        self._calibration = calibration
        self._measured: Measured = measure(network.controller(), calibration)
        self.quantized()  # refuses here what has no integer form

    def refresh(self) -> None:
        """Measure the ranges of the present parameters; until the next call they are held."""
        self._measured = measure(self.network.controller(), self._calibration)

    def quantized(self) -> QuantizedStep:
        """The step of the present parameters in integers."""
        return quantize(self.network.controller(), self._measured)

    def integers(self) -> IntegerRollout:
        """The same, ready to run."""
        return IntegerRollout(self.network.controller(), self.quantized())

    def policy(self) -> Policy:
        """The integers."""
        return IntegerBatch(self.integers())

    def replay(self, observation: FloatArray, dt_s: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Run sequences from the reset; see `Student`."""
        integers = self.integers()
        actions, states = integers.run(observation, dt_s)
        reset = np.broadcast_to(integers.controller.reset_state, states[:, :1].shape)
        return actions, np.concatenate([reset, states[:, :-1]], axis=1)

    def actions(self, observation: FloatArray, dt_s: FloatArray, state: FloatArray) -> Tensor:
        """Actions of the integers, with the gradient of the float network along their states."""
        integers = self.integers()
        acted, states = integers.run(observation, dt_s, state)
        size = integers.controller.cell.state_size
        start, along = self._tensor(state[:, :size]), self._tensor(states[..., :size])
        readout, _ = self.network(self._tensor(observation), self._tensor(dt_s), start, forced=along)
        return straight_through(self.network.actions(readout), self._tensor(acted))

    def _tensor(self, values: FloatArray) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(values)).to(self.network.dtype)
