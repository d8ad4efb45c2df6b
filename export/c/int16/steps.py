"""What a generated int16 step consists of: the unit program's operations as C executes them, in order.

Codes and constants are those of the quantisation plan. `emulate` runs these steps, `overflow` proves that
no sum of them overflows, and `body` writes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ltc_edge.export.c.loops import Repeat
from ltc_edge.export.c.steps import Elementwise, Index, Join, Part

Int8 = npt.NDArray[np.int8]
Int16 = npt.NDArray[np.int16]
Int32 = npt.NDArray[np.int32]
UInt8 = npt.NDArray[np.uint8]


PROVED_SHIFT = 8
"""With it the places of a table fill 31 bits."""


@dataclass(frozen=True, eq=False)
class Rows:
    """How the sum of each row of a matrix becomes a code: see ``ltc_row_i16``; each ``(n,)``."""

    bias: Int32
    limit: Int32
    multiplier: Int16
    before: UInt8
    after: UInt8


@dataclass(frozen=True, eq=False)
class Matrix:
    """8-bit weights times codes; ``columns`` is None where every weight is stored, row by row."""

    output: str
    input: str
    weight: Int8
    rows: Rows
    count: Index | None = None
    columns: Index | None = None


@dataclass(frozen=True, eq=False)
class Synapses:
    """Synapses sorted by target: see ``ltc_synapse_i16``; ``count`` has an entry a target.

    Attributes:
        shift: of ``slope · input + offset``, to a place in the table of sigmoids.
        weight_bits: weights are in 2^-weight_bits.
        clamped: whether a place may lie beyond the table; where not, the shift is `PROVED_SHIFT`.
    """

    count: Index
    source: Index
    slope: Int16
    offset: Int32
    numerator: Int16
    denominator: Int16
    shift: int
    weight_bits: int
    clamped: bool

    @property
    def listening(self) -> int:
        """Neurons from this one on have no synapses."""
        return int(np.flatnonzero(self.count).max(initial=-1)) + 1


@dataclass(frozen=True, eq=False)
class Sensory:
    """Drive of every target, a pair of sums: see ``ltc_sensory_i16``.

    ``numerator`` and ``denominator`` name its halves. Biases are in 2^-(15 + weight_bits), and hold what
    makes up for the shifts that round sums down: see `lowering`.
    """

    numerator: str
    denominator: str
    input: str
    synapses: Synapses
    numerator_bias: Int32
    denominator_bias: Int32

    @property
    def output(self) -> str:
        """What it is called by."""
        return self.numerator


@dataclass(frozen=True, eq=False)
class Rates:
    """``output = t·fast / (t·fast + slow)``, constants in 2^-15."""

    output: str
    elapsed: str
    fast: Int16
    slow: Int16


@dataclass(frozen=True, eq=False)
class Substeps:
    """All sub-steps of the fused solver: see ``ltc_substeps_i16``.

    ``pace``, where there is one, makes them those of exponential Euler: see ``ltc_decay_i16``. Its product
    with a conductance is shifted by ``shift``.
    """

    output: str
    state: str
    moved: str
    numerator: str
    denominator: str
    synapses: Synapses
    unfolds: int
    pace: str | None = None
    shift: int = 0


FlatStep = Matrix | Sensory | Rates | Substeps | Elementwise | Part | Join
Step = FlatStep | Repeat[FlatStep]


@dataclass(frozen=True, eq=False)
class Steps:
    """A controller's step from codes to codes.

    Attributes:
        steps: in order.
        sizes: length of every tensor and constant.
        bits: a tensor's or constant's codes are in 2^-bits.
        constants: codes that elementwise operations read.
        action: tensor of the actions.
        unlimited: tensor of the actions before their slew limit.
        state: tensor of the next state.
    """

    steps: tuple[Step, ...]
    sizes: Mapping[str, int]
    bits: Mapping[str, int]
    constants: Mapping[str, Int16]
    action: str
    unlimited: str
    state: str
