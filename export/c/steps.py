"""What a generated step consists of: the program's operations as C executes them, in order.

Sums run over listed weights alone, synapses are fused with their sigmoids, and repeated sub-steps are
loops. `emulate` runs these steps and `body` writes them; both take the order of operations from here.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from ltc_edge.export.c.arithmetic import Float32
from ltc_edge.export.c.loops import Repeat
from ltc_edge.export.program import Binary, Map

Index = npt.NDArray[np.uint16]


@dataclass(frozen=True, eq=False)
class Linear:
    """``output = bias + Σ weight · input``; ``columns`` is None where every weight is stored, row by row."""

    output: str
    input: str
    weight: Float32
    bias: Float32
    count: Index | None = None
    columns: Index | None = None


@dataclass(frozen=True, eq=False)
class Synapses:
    """Synapses sorted by target: see ``ltc_synapse_f32``; ``count`` has an entry a target."""

    count: Index
    source: Index
    slope: Float32
    offset: Float32
    numerator: Float32
    denominator: Float32


@dataclass(frozen=True, eq=False)
class SynapseSums:
    """Numerator and denominator of every target, from a bias each."""

    numerator: str
    denominator: str
    input: str
    synapses: Synapses
    numerator_bias: Float32
    denominator_bias: Float32

    @property
    def output(self) -> str:
        """What it is called by."""
        return self.numerator


@dataclass(frozen=True, eq=False)
class Substeps:
    """All sub-steps of the fused solver, with ``c = charge · rate``, which the denominators' inputs hold.

    ``charge`` is a constant and ``rate`` one number, so that a step needs no vector of their products.
    """

    output: str
    state: str
    charge: str
    rate: str
    numerator: str
    denominator: str
    synapses: Synapses
    unfolds: int
    clamped: bool


@dataclass(frozen=True, eq=False)
class ExponentialSubsteps:
    """All sub-steps of exponential Euler; ``slope`` times the seconds times a conductance is an exponent.

    ``slope`` is a constant of its own: see ``ltc_substeps_exponential_f32``.
    """

    output: str
    state: str
    slope: str
    seconds: str
    numerator: str
    denominator: str
    synapses: Synapses
    unfolds: int
    clamped: bool


@dataclass(frozen=True)
class Elementwise:
    """Operations on vectors of one length, done an element at a time."""

    operations: tuple[Binary | Map, ...]
    size: int

    @property
    def output(self) -> str:
        """What it is called by."""
        return self.operations[-1].output


@dataclass(frozen=True)
class Part:
    """A view of ``input`` from ``start``: costs nothing."""

    output: str
    input: str
    start: int
    size: int


@dataclass(frozen=True)
class Join:
    """The inputs one after the other, copied."""

    output: str
    inputs: tuple[str, ...]


FlatStep = Linear | SynapseSums | Substeps | ExponentialSubsteps | Elementwise | Part | Join
Step = FlatStep | Repeat[FlatStep]


@dataclass(frozen=True, eq=False)
class Steps:
    """A controller's step up to its limits.

    Attributes:
        steps: in order.
        sizes: length of every tensor and constant.
        constants: vectors that elementwise operations read.
        action: tensor of the actions before their limits.
        state: tensor of the cell's next state.
    """

    steps: tuple[Step, ...]
    sizes: dict[str, int]
    constants: dict[str, Float32] = field(default_factory=dict)
    action: str = ""
    state: str = ""
