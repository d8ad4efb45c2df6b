"""Streams of random bits that carry one label at their end: what long dependencies are measured on.

The irregular encoding is that of Lechner & Hasani, "Learning long-term dependencies in irregularly-sampled
time series", arXiv 2006.04418: a row for each change of the bit, and the time since the row before.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ltc_edge.arrays import BoolArray, FloatArray, IntArray

FEWEST_BITS = 2
"""Of a stream of `parity`: the published generator draws lengths from 2 to one less than the rows."""


@dataclass(frozen=True)
class BitStreams:
    """``N`` sequences of ``R`` rows, one after the other; shorter streams are padded at their end.

    Attributes:
        bit: 0 or 1, ``(N, R)``.
        dt_s: seconds since the row before, ``(N, R)``; a bit lasts one second.
        label: of each sequence, ``(N,)``: 0 or 1.
        last: which row is the last of its stream, where the label is asked for, ``(N, R)``.
    """

    bit: FloatArray
    dt_s: FloatArray
    label: IntArray
    last: BoolArray


Generator = Callable[[np.random.Generator, int, int], BitStreams]
"""``(generator, sequences, rows) -> streams``."""


def parity(rng: np.random.Generator, count: int, rows: int) -> BitStreams:
    """Streams of 2 to ``rows - 1`` bits, a row a bit; the label is the XOR of all bits."""
    bit, length = _random_bits(rng, count, rows)
    position = np.arange(rows)
    last = position[None, :] == length[:, None] - 1
    inside = position[None, :] < length[:, None]
    label = np.where(inside, bit, 0).sum(axis=1) % 2
    return BitStreams(bit.astype(np.float64), np.ones(bit.shape), label, last)


def irregular_parity(rng: np.random.Generator, count: int, rows: int) -> BitStreams:
    """Streams as `parity` draws them, with rows only for the first bit, each change, and the last bit."""
    bit, length = _random_bits(rng, count, rows)
    position = np.arange(rows)
    inside = position[None, :] < length[:, None]
    changed = np.diff(bit, axis=1, prepend=bit[:, :1]) != 0
    ends = (position[None, :] == 0) | (position[None, :] == length[:, None] - 1)
    event = inside & (changed | ends)
    label = np.where(inside, bit, 0).sum(axis=1) % 2
    # Events first, in their order; a stable sort of booleans keeps it.
    order = np.argsort(~event, axis=1, kind="stable")
    events = event.sum(axis=1)
    row = np.minimum(position[None, :], events[:, None] - 1)
    place = np.take_along_axis(order, row, axis=1)
    dt_s = np.diff(place, axis=1, prepend=place[:, :1] - 1).astype(np.float64)
    padding = position[None, :] >= events[:, None]
    return BitStreams(
        bit=np.take_along_axis(bit, place, axis=1).astype(np.float64),
        dt_s=np.where(padding, 1.0, dt_s),
        label=label,
        last=position[None, :] == events[:, None] - 1,
    )


def first_bit(rng: np.random.Generator, count: int, rows: int) -> BitStreams:
    """Streams of ``rows`` bits, a row a bit; the label is the first, the others only distract."""
    bit = rng.integers(0, 2, size=(count, rows))
    last = np.zeros(bit.shape, dtype=np.bool_)
    last[:, -1] = True
    return BitStreams(bit.astype(np.float64), np.ones(bit.shape), bit[:, 0].copy(), last)


def _random_bits(rng: np.random.Generator, count: int, rows: int) -> tuple[IntArray, IntArray]:
    """Bits ``(count, rows)``, and the length ``(count,)`` of each stream; bits past it repeat its last."""
    length = rng.integers(FEWEST_BITS, rows, size=count)
    bit = rng.integers(0, 2, size=(count, rows))
    place = np.minimum(np.arange(rows)[None, :], length[:, None] - 1)
    return np.take_along_axis(bit, place, axis=1), length
