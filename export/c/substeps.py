"""Loops over an LTC's sub-steps, recognised as the kernels of the runtime that do all of one."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ltc_edge.export.c.arithmetic import MOST_EXPONENT, UNIT
from ltc_edge.export.c.lists import greatest_exponent
from ltc_edge.export.c.loops import Repeat
from ltc_edge.export.c.steps import Elementwise, ExponentialSubsteps, FlatStep, Substeps, SynapseSums
from ltc_edge.export.ltc_bounds import StateBounds
from ltc_edge.export.program import Binary, Map, Operation

SECONDS = "elapsed.seconds"
"""The elapsed time once it is clamped, which the guard of every step does."""

RATE, ONE = "elapsed.rate", "elapsed.one"
"""The inverse of the elapsed time, and what it is the inverse with."""

LOG2E_UNIT = math.log2(math.e) / UNIT
"""Of an exponent of e, to one of 2 in the unit of the runtime's."""


class SubstepFinder:
    """Makes kernels of loops.

    Args:
        operations: of the program, outside of loops and within.
        bounds: of the cell's state, as the guard checks them.

    Attributes:
        slopes: by the name of a constant that a kernel needs, the program's constant of which it is
            `LOG2E_UNIT` times.
        replaced: tensors that kernels compute by themselves.
    """

    def __init__(self, operations: Sequence[Operation], bounds: StateBounds) -> None:
        products = [op for op in operations if isinstance(op, Binary) and op.kind == "mul"]
        self._charges = {op.output: op.left for op in products if op.right == RATE}
        self._slopes = {op.output: op.left for op in products if op.right == SECONDS}
        self._reach = np.maximum(np.abs(bounds.low), np.abs(bounds.high))
        self.slopes: dict[str, str] = {}
        self.replaced: set[str] = set()

    def found(self, repeat: Repeat[FlatStep]) -> FlatStep | Repeat[FlatStep]:
        """The kernel that a loop is, or the loop itself."""
        return self._fused(repeat) or self._exponential(repeat) or repeat

    def _clamped(self, sums: SynapseSums) -> bool:
        reach = self._reach[: len(sums.numerator_bias)]
        return greatest_exponent(sums.synapses, reach) > float(MOST_EXPONENT)

    def _fused(self, repeat: Repeat[FlatStep]) -> Substeps | None:
        match repeat.body:
            case (Elementwise() as before, SynapseSums() as sums, Elementwise() as after) if _sums_alone(
                sums, repeat
            ):
                pass
            case _:
                return None
        match before.operations, after.operations:
            case (
                (Binary("mul", charge, c, state), Binary("add", held, charge_again, n_in)),
                (
                    Binary("add", n, n_sum, held_again),
                    Binary("add", d, d_sum, d_in),
                    Binary("div", _, n_again, d_again),
                ),
            ) if (
                (state, charge_again, held_again) == (repeat.carried, charge, held)
                and (n_sum, d_sum) == (sums.numerator, sums.denominator)
                and (n_again, d_again) == (n, d)
                and c in self._charges
            ):
                return Substeps(
                    repeat.output,
                    repeat.start,
                    self._charges[c],
                    RATE,
                    n_in,
                    d_in,
                    sums.synapses,
                    repeat.count,
                    self._clamped(sums),
                )
        return None

    def _exponential(self, repeat: Repeat[FlatStep]) -> ExponentialSubsteps | None:
        match repeat.body:
            case (SynapseSums() as sums, Elementwise() as after) if _sums_alone(sums, repeat):
                pass
            case _:
                return None
        match after.operations:
            case (
                Binary("add", n, n_sum, n_in),
                Binary("add", d, d_sum, d_in),
                Binary("div", target, n_again, d_again),
                Binary("mul", exponent, h, d_last),
                Map("exp", kept, exponent_again),
                Binary("sub", distance, state, target_again),
                Binary("mul", apart, kept_again, distance_again),
                Binary("add", _, target_last, apart_again),
            ) if (
                (n_sum, d_sum) == (sums.numerator, sums.denominator)
                and (n_again, d_again, d_last, state) == (n, d, d, repeat.carried)
                and (exponent_again, kept_again, distance_again) == (exponent, kept, distance)
                and (target_again, target_last, apart_again) == (target, target, apart)
                and h in self._slopes
            ):
                slope = f"{self._slopes[h]}_log2"
                self.slopes[slope] = self._slopes[h]
                self.replaced.add(h)
                return ExponentialSubsteps(
                    repeat.output,
                    repeat.start,
                    slope,
                    SECONDS,
                    n_in,
                    d_in,
                    sums.synapses,
                    repeat.count,
                    self._clamped(sums),
                )
        return None


def _sums_alone(sums: SynapseSums, repeat: Repeat[FlatStep]) -> bool:
    """Whether a loop sums the synapses of what it carries, and nothing besides."""
    return not (sums.numerator_bias.any() or sums.denominator_bias.any()) and sums.input == repeat.carried
