"""Synapses as the rows of a table, which is how a program of the GPU sums them: a row a neuron, padded."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ltc_edge.wiring import Wiring

MOST_PLACES = 1 << 14
"""In padded rows: what the registers of one program hold. Larger circuits go step by step."""

GATES = 4
"""Of a memory, each with the recurrent weights of all neurons to all."""

Integers = npt.NDArray[np.int32]
Pairs = npt.NDArray[np.int64]


class Tables(NamedTuple):
    """int32 ``(P, W)``: `rows` of targets, for the way forwards, and of sources, for the way back."""

    target_slots: Tensor
    target_ends: Tensor
    source_slots: Tensor
    source_ends: Tensor


@functools.lru_cache(maxsize=32)
def tables(wiring: Wiring, device: torch.device, *, memory: bool) -> Tables | None:
    """The rows of a wiring's synapses on a device; None where they, or a memory's, are over `MOST_PLACES`."""
    found = [rows(wiring.synapses, wiring.units, side) for side in (1, 0)]
    of_memory = GATES * power_of_two(wiring.units) ** 2 if memory else 0
    if max(of_memory, *(each.slots.size for each in found)) > MOST_PLACES:
        return None
    arrays = [array for each in found for array in (each.slots, each.ends)]
    return Tables(*(torch.from_numpy(array).to(device) for array in arrays))


@dataclass(frozen=True, eq=False)
class Rows:
    """A row for each neuron, padded to ``(P, W)``, both powers of two.

    Attributes:
        slots: which synapse of the list each place holds; −1 where it holds none.
        ends: the neuron at the synapse's other end; 0 where there is none.
    """

    slots: Integers
    ends: Integers


def rows(pairs: Pairs, units: int, side: int) -> Rows:
    """The synapses by one of their sides.

    Args:
        pairs: ``(S, 2)``: sources, targets.
        units: neurons.
        side: whose rows: 0 for those of sources, 1 for those of targets.
    """
    own, other = pairs[:, side], pairs[:, 1 - side]
    counts = np.bincount(own, minlength=units)
    shape = power_of_two(units), power_of_two(int(counts.max(initial=1)))
    slots, ends = np.full(shape, -1, np.int32), np.zeros(shape, np.int32)
    order = np.argsort(own, kind="stable")
    place = np.arange(own.size) - np.repeat(np.cumsum(counts) - counts, counts)
    slots[own[order], place] = order
    ends[own[order], place] = other[order]
    return Rows(slots, ends)


def power_of_two(least: int) -> int:
    """The smallest power of two that is not below ``least``."""
    return 1 << max(least - 1, 0).bit_length()
