"""Sub-steps of an LTC's solvers, recognised in the operations that follow a list of synapses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log2

from ltc_edge.export.c.int16.arithmetic import PLACES_A_UNIT
from ltc_edge.export.c.int16.steps import Sensory, Substeps
from ltc_edge.export.c.int16.synapses import UNIT
from ltc_edge.export.program import Binary, Map, Operation

_FUSED, _EXPONENTIAL = 8, 12
"""Operations of a sub-step after its synapses."""

_WORD = 31

_CONDUCTANCE_BITS = 15 - round(log2(UNIT))
"""The plan's conductances are in 2^-so many here."""


def fused_substep(drive: Sensory, operations: Sequence[Operation]) -> tuple[Substeps, int] | None:
    """A sub-step of the fused solver and how many operations it was; None for anything else."""
    match tuple(operations[:_FUSED]):
        case (
            Binary("add", n_all, n_sum, n_in),
            Binary("add", d_all, d_sum, d_in),
            Binary("mul", n_gain, moved, n_factor),
            Binary("mul", d_gain, moved_again, d_factor),
            Binary("mul", held, kept, state),
            Binary("add", n, n_part, held_again),
            Binary("add", d, d_part, kept_again),
            Binary("div", output, left, right),
        ) if (
            (n_sum, d_sum, n_factor, d_factor) == (drive.numerator, drive.denominator, n_all, d_all)
            and (moved_again, n_part, d_part, held_again) == (moved, n_gain, d_gain, held)
            and (kept_again, left, right, state) == (kept, n, d, drive.input)
        ):
            return Substeps(output, state, moved, n_in, d_in, drive.synapses, 1), _FUSED
    return None


def exponential_substep(
    drive: Sensory, operations: Sequence[Operation], bits: Mapping[str, int]
) -> tuple[Substeps, int] | None:
    """A sub-step of exponential Euler and how many operations it was; None for anything else.

    Args:
        drive: its synapses.
        operations: what follows them.
        bits: a tensor's codes are in 2^-bits.
    """
    match tuple(operations[:_EXPONENTIAL]):
        case (
            Binary("add", n_all, n_sum, n_in),
            Binary("add", d_all, d_sum, d_in),
            Binary("mul", decay, pace, d_factor),
            Map("bernoulli", discount, decay_again),
            Binary("mul", kept, _, discount_again),
            Binary("mul", d_gain, moved, d_factor_again),
            Binary("add", both, d_part, kept_again),
            Binary("div", remains, kept_above, both_again),
            Binary("div", target, n_above, d_below),
            Binary("sub", distance, state, target_again),
            Binary("mul", apart, remains_again, distance_again),
            Binary("add", output, target_last, apart_again),
        ) if (
            (n_sum, d_sum, n_above, d_below) == (drive.numerator, drive.denominator, n_all, d_all)
            and (d_factor, d_factor_again, decay_again) == (d_all, d_all, decay)
            and (discount_again, kept_again, kept_above) == (discount, kept, kept)
            and (d_part, both_again, remains_again) == (d_gain, both, remains)
            and (target_again, target_last, state) == (target, target, drive.input)
            and (distance_again, apart_again) == (distance, apart)
        ):
            # A pace is at most 2^10, so its codes have at least 5 bits; where they have very many, the
            # product says nothing to any place of the table.
            shift = min(_CONDUCTANCE_BITS + bits[pace] - PLACES_A_UNIT["bernoulli"], _WORD)
            assert shift >= 0, pace
            found = Substeps(output, state, moved, n_in, d_in, drive.synapses, 1, pace, shift)
            return found, _EXPONENTIAL
    return None
