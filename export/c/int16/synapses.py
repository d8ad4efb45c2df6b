"""Synapses of a quantised LTC as 16-bit numbers, and the kernels that they belong to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ltc_edge.errors import FormatRefusedError
from ltc_edge.export.c.int16.arithmetic import MIDDLE, MOST, ONE, PLACES_A_UNIT
from ltc_edge.export.c.int16.steps import PROVED_SHIFT, Sensory, Synapses
from ltc_edge.export.plan import QuantizationPlan
from ltc_edge.export.program import Array, Binary, Dense, Map, Operation

PATTERN = 5
"""Operations of a list of synapses: gather, sigmoid, conductance, numerator and denominator."""

UNIT = 2.0
"""How many of the plan's units of conductance are one here: its sums of them go to 2, and C's shares to 1."""

MOST_BITS = 15
WIDEST = 2.0**31 - 2.0**16
"""What a sum may reach, with room for what rounding adds."""


@dataclass(frozen=True, eq=False)
class RealSynapses:
    """Synapses and biases as the plan's integers have them, in real numbers of C's `UNIT`.

    Sorted by target, then by source; one that conducts nothing is left out.

    Attributes:
        source, target: ends of each, ``(S,)``.
        slope, offset: of the pre-activation, ``(S,)``.
        numerator, denominator: weights, ``(S,)``.
        numerator_bias, denominator_bias: of every target, ``(N,)``.
    """

    operations: tuple[Dense, Map, Binary, Dense, Dense]
    source: npt.NDArray[np.intp]
    target: npt.NDArray[np.intp]
    slope: Array
    offset: Array
    numerator: Array
    denominator: Array
    numerator_bias: Array
    denominator_bias: Array

    def reach(self) -> Array:
        """Greatest magnitude of either sum, ``(N,)``."""
        sums = np.abs(self.numerator_bias), np.abs(self.denominator_bias)
        for total, weight in zip(sums, (self.numerator, self.denominator), strict=True):
            np.add.at(total, self.target, np.abs(weight))
        return np.maximum(*sums)


def real_synapses(
    operations: Sequence[Operation], constants: Mapping[str, Array], plan: QuantizationPlan
) -> RealSynapses | None:
    """The first operations as a list of synapses; None where they are something else."""
    match tuple(operations[:PATTERN]):
        case (
            Dense() as gather,
            Map("sigmoid") as sigmoid,
            Binary("mul") as conductance,
            Dense() as numerator,
            Dense() as denominator,
        ) if (
            sigmoid.input == gather.output
            and conductance.left == sigmoid.output
            and conductance.right in constants
            and numerator.input == denominator.input == conductance.output
        ):
            pass
        case _:
            return None
    name = conductance.right
    gain = np.rint(constants[name] / plan.tensors[name].scale16) * plan.tensors[name].scale16
    rounded = [plan.dense[op.output] for op in (gather, numerator, denominator)]
    slopes, n, d = (dense.weight() for dense in rounded)
    used = (n != 0) | (d != 0)
    alive = np.flatnonzero(used.any(axis=0) & (gain != 0))
    target = used[:, alive].argmax(axis=0)
    source = np.abs(slopes[alive]).argmax(axis=1)
    order = np.lexsort((alive, source, target))
    alive, target, source = alive[order], target[order], source[order]
    return RealSynapses(
        (gather, sigmoid, conductance, numerator, denominator),
        source,
        target,
        slopes[alive, source],
        rounded[0].bias[alive],
        gain[alive] * n[target, alive] / UNIT,
        gain[alive] * d[target, alive] / UNIT,
        rounded[1].bias / UNIT,
        rounded[2].bias / UNIT,
    )


def weight_bits(lists: Sequence[RealSynapses]) -> int:
    """Bits of the weights of all lists, whose sums are added: as many as no sum overflows with.

    Raises:
        FormatRefusedError: not even one bit is left.
    """
    reach = sum((synapses.reach() for synapses in lists), start=np.zeros(1))
    largest = max(
        (float(np.abs(w).max(initial=0.0)) for s in lists for w in (s.numerator, s.denominator)), default=0.0
    )
    bits = MOST_BITS
    while bits > 0 and (float(np.max(reach)) * 2.0 ** (15 + bits) > WIDEST or largest * 2.0**bits > MOST):
        bits -= 1
    if bits < 1:
        raise FormatRefusedError(
            "overflow",
            f"the synapses into neuron {int(np.argmax(reach))} weigh {np.max(reach):.3g} together, "
            "beyond 32 bits",
        )
    return bits


def integer_drive(synapses: RealSynapses, bits: int, bits_in: int) -> Sensory:
    """The list in 16-bit numbers, with ``bits`` bits for its weights.

    Raises:
        FormatRefusedError: a pre-activation may go beyond 32 bits.
    """
    slope, offset, shift, clamped = _pre_activations(synapses, bits_in)
    gather, _, _, numerator, denominator = synapses.operations
    listed = Synapses(
        np.bincount(synapses.target, minlength=len(synapses.numerator_bias)).astype(np.uint16),
        synapses.source.astype(np.uint16),
        slope.astype(np.int16),
        offset.astype(np.int32),
        np.rint(synapses.numerator * 2.0**bits).astype(np.int16),
        np.rint(synapses.denominator * 2.0**bits).astype(np.int16),
        shift,
        bits,
        clamped,
    )
    unit = 2.0 ** (15 + bits)
    return Sensory(
        numerator.output,
        denominator.output,
        gather.input,
        listed,
        np.rint(synapses.numerator_bias * unit).astype(np.int32),
        np.rint(synapses.denominator_bias * unit).astype(np.int32),
    )


def _pre_activations(synapses: RealSynapses, bits_in: int) -> tuple[Array, Array, int, bool]:
    """Slopes and offsets of places in the table, the shift they share, and whether they need a clamp."""
    places = 2.0 ** PLACES_A_UNIT["sigmoid"]
    slope = synapses.slope * places * 2.0**-bits_in
    offset = synapses.offset * places + MIDDLE + 0.5
    for shift in range(PROVED_SHIFT, -1, -1):
        slopes, offsets = np.rint(slope * 2.0**shift), np.rint(offset * 2.0**shift)
        reach = np.abs(slopes) * ONE
        if np.abs(slopes).max(initial=0.0) > MOST or (reach + np.abs(offsets)).max(initial=0.0) > WIDEST:
            continue
        inside = (offsets - reach).min(initial=0.0) >= 0 and shift == PROVED_SHIFT
        return slopes, offsets, shift, not inside
    steepest = int(np.abs(slope).argmax())
    raise FormatRefusedError(
        "overflow",
        f"the synapse from {int(synapses.source[steepest])} to {int(synapses.target[steepest])} is too steep "
        f"for 32 bits: its slope is {synapses.slope[steepest]:.3g}",
    )
