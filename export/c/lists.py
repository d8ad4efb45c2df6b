"""Matrices as lists of what is not zero, and three operations of a program as a list of synapses."""

from __future__ import annotations

import numpy as np

from ltc_edge.export.c.arithmetic import UNIT
from ltc_edge.export.c.steps import Linear, Synapses, SynapseSums
from ltc_edge.export.program import Dense, Map, Operation

SPARSE_SHARE = 0.6
"""Share of weights that are not zero below which a list of them is smaller and faster."""


def linear(operation: Dense) -> Linear:
    """A `Dense` operation in float32, as a list where it has few weights."""
    weight = operation.weight.astype(np.float32)
    bias = operation.bias.astype(np.float32)
    used = operation.weight != 0
    if used.mean() >= SPARSE_SHARE:
        return Linear(operation.output, operation.input, weight.ravel(), bias)
    rows, columns = np.nonzero(used)
    count = np.bincount(rows, minlength=len(bias)).astype(np.uint16)
    return Linear(
        operation.output, operation.input, weight[rows, columns], bias, count, columns.astype(np.uint16)
    )


def synapse_sums(operations: tuple[Operation, ...]) -> SynapseSums | None:
    """Four operations, gather, sigmoid and two sums, as one; None where they are something else."""
    if len(operations) < 4:
        return None
    gather, sigmoid, numerator, denominator = operations[:4]
    if not (
        isinstance(gather, Dense)
        and isinstance(sigmoid, Map)
        and isinstance(numerator, Dense)
        and isinstance(denominator, Dense)
        and sigmoid.kind == "sigmoid"
        and sigmoid.input == gather.output
        and numerator.input == denominator.input == sigmoid.output
    ):
        return None
    used = (numerator.weight != 0) | (denominator.weight != 0)
    if ((gather.weight != 0).sum(axis=1) > 1).any() or (used.sum(axis=0) > 1).any():
        return None
    return SynapseSums(
        numerator.output,
        denominator.output,
        gather.input,
        _synapses(gather, numerator, denominator),
        numerator.bias.astype(np.float32),
        denominator.bias.astype(np.float32),
    )


def _synapses(gather: Dense, numerator: Dense, denominator: Dense) -> Synapses:
    """Sorted by target, then by source; a synapse that conducts nothing is left out."""
    used = (numerator.weight != 0) | (denominator.weight != 0)
    alive = np.flatnonzero(used.any(axis=0))
    target = used[:, alive].argmax(axis=0)
    source = np.abs(gather.weight[alive]).argmax(axis=1)
    order = np.lexsort((alive, source, target))
    alive, target, source = alive[order], target[order], source[order]
    log2e = 1.0 / np.log(2.0) / UNIT
    return Synapses(
        np.bincount(target, minlength=len(numerator.bias)).astype(np.uint16),
        source.astype(np.uint16),
        (-log2e * gather.weight[alive, source]).astype(np.float32),
        (-log2e * gather.bias[alive]).astype(np.float32),
        numerator.weight[target, alive].astype(np.float32),
        denominator.weight[target, alive].astype(np.float32),
    )


def greatest_exponent(synapses: Synapses, reach: np.ndarray) -> float:
    """Greatest ``|u|`` of any synapse where inputs lie within ``±reach``, ``(sources,)``."""
    slope, offset = np.abs(synapses.slope.astype(np.float64)), np.abs(synapses.offset.astype(np.float64))
    return float((slope * reach[synapses.source] + offset).max(initial=0.0))
