"""Synapses as the rows of a table, which is how a program of the GPU sums them: a row a neuron, padded."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ltc_edge.wiring import Wiring

MOST_PLACES = 1 << 14
"""In padded rows: what the registers of one program hold. Larger circuits go step by step."""

GATES = 4
"""Of a memory, each with the recurrent weights of all neurons to all."""

Integers = npt.NDArray[np.int32]
Pairs = npt.NDArray[np.int64]


def tables(wiring: Wiring) -> tuple[Integers, Integers, Integers, Integers] | None:
    """Slots and ends by targets, for the way forwards, and by sources, for the way back.

    None where they are more than `MOST_PLACES`.
    """
    by_target, by_source = (rows(wiring.synapses, wiring.units, side) for side in (1, 0))
    if max(by_target.slots.size, by_source.slots.size) > MOST_PLACES:
        return None
    return by_target.slots, by_target.ends, by_source.slots, by_source.ends


def fits_with_memory(units: int) -> bool:
    """Whether the recurrent weights of a memory are no more than `MOST_PLACES` too."""
    return GATES * power_of_two(units) ** 2 <= MOST_PLACES


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
