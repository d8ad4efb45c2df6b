"""The gradient of what a controller holds, and of what it does, with respect to inputs some steps before.

Lechner & Hasani, "Learning long-term dependencies in irregularly-sampled time series", arXiv 2006.04418:
whatever the solver, the gradient of a continuous-time recurrent network vanishes or explodes with the lag.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ltc_edge.arrays import FloatArray
from ltc_edge.controller import Controller
from ltc_edge.errors import InputError
from ltc_edge.evaluation.memory.decay import Decay, decay_of
from ltc_edge.network import Network

MOST_REPLICAS = 4096
"""Sequences times directions that are run at once: what fits into a few hundred megabytes."""


@dataclass(frozen=True, eq=False)
class InputSequences:
    """Sequences that gradients are taken along.

    Attributes:
        observation: raw sensor values, ``(B, T, I)``.
        dt_s: seconds before each step, ``(B, T)``.
        state: before the first step, ``(B, S)``; None for the reset.
    """

    observation: FloatArray
    dt_s: FloatArray
    state: FloatArray | None = None


@dataclass(frozen=True)
class Gradients:
    """Decay with lag of ``‖∂ state_T / ∂ input_{T−lag}‖`` and of ``‖∂ action_T / ∂ input_{T−lag}‖``."""

    state: Decay
    action: Decay


def gradients_by_lag(
    controller: Controller, sequences: InputSequences, *, directions: int | None = None, seed: int = 0
) -> Gradients:
    """Gradient norms at lags 0 to ``T − 1``, by autograd in float64.

    A norm is Frobenius's, over normalised inputs (raw ones over their scale), the state as the cell holds
    it, and the readout before it is scaled to actions; the root of the mean square over sequences.

    Args:
        controller: of any cell.
        sequences: the inputs.
        directions: of the state, drawn at random, in which gradients are taken: the squared norm is then an
            unbiased estimate. None, or as many as the state has values, is exact.
        seed: of the directions.

    Raises:
        InputError: there is no sequence or no step.
    """
    if sequences.dt_s.size == 0:
        raise InputError("gradients by lag need at least one sequence of one step")
    network = _in_float64(controller)
    size = controller.cell.state_size
    chosen = size if directions is None else min(directions, size)
    state_basis = _directions(size, chosen, seed)
    squares = np.zeros((2, sequences.dt_s.shape[1]))
    parts = max(1, MOST_REPLICAS // max(chosen, len(controller.actions)))
    count = len(sequences.dt_s)
    for first in range(0, count, parts):
        squares += _squares(network, sequences, slice(first, first + parts), state_basis)
    state, action = np.sqrt(squares[:, ::-1] / count)
    return Gradients(decay_of(state), decay_of(action))


def _in_float64(controller: Controller) -> Network:
    exact = {name: array.astype(np.float64) for name, array in controller.parameters.items()}
    return Network(dataclasses.replace(controller, parameters=exact))


def _directions(size: int, count: int, seed: int) -> Tensor:
    """``count`` orthonormal directions of a space of ``size``, ``(count, size)``, at random.

    They are longer by the root of ``size / count``, which makes the squared norm along them unbiased
    where they are fewer than ``size``; all of them give it exactly.
    """
    drawn = np.random.default_rng(seed).standard_normal((size, count))
    return torch.from_numpy(np.linalg.qr(drawn)[0].T * math.sqrt(size / count))


def _squares(network: Network, sequences: InputSequences, part: slice, state_basis: Tensor) -> FloatArray:
    """Squared norms by step, summed over the sequences of ``part``, of state and of action: ``(2, T)``.

    Each sequence is run once a direction, so that one backward pass gives them all.
    """
    observation, dt_s = (torch.from_numpy(a[part]) for a in (sequences.observation, sequences.dt_s))
    state = None if sequences.state is None else torch.from_numpy(sequences.state[part])
    result = []
    for target in ("state", "action"):
        basis = state_basis if target == "state" else torch.eye(_readout_size(network), dtype=torch.float64)
        copies = len(basis)
        raw = observation.repeat_interleave(copies, dim=0).requires_grad_()
        begun = None if state is None else state.repeat_interleave(copies, dim=0)
        readout, last = network(raw, dt_s.repeat_interleave(copies, dim=0), begun)
        ends = last if target == "state" else readout[:, -1]
        along = (ends * basis.repeat(len(observation), 1)).sum()
        (gradient,) = torch.autograd.grad(along, raw)
        result.append(((gradient * network.scale) ** 2).sum(dim=(0, 2)).numpy())
    return np.stack(result)


def _readout_size(network: Network) -> int:
    return len(network.out_scale)
