"""A generated controller in NumPy float32: the same operations in the same order as its C, bit for bit."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ltc_edge.export.c.arithmetic import (
    BINARIES,
    MAPS,
    MOST_EXPONENT,
    Float32,
    clamp,
    exp2_parts,
    logistic2,
    maximum,
)
from ltc_edge.export.c.loops import Repeat
from ltc_edge.export.c.steps import (
    Elementwise,
    ExponentialSubsteps,
    FlatStep,
    Index,
    Join,
    Linear,
    Part,
    Step,
    Steps,
    Substeps,
    Synapses,
    SynapseSums,
)
from ltc_edge.export.program import Binary

Tensors = dict[str, Float32]


def run_steps(steps: Steps, inputs: Tensors) -> Tensors:
    """Every tensor of one step, by name.

    Args:
        steps: what to run.
        inputs: observation, elapsed time and state, ``(n,)`` float32 each.
    """
    tensors: Tensors = dict(steps.constants) | inputs
    _run(steps.steps, tensors)
    return tensors


def _run(steps: Iterable[Step], tensors: Tensors) -> None:
    for step in steps:
        if isinstance(step, Linear):
            tensors[step.output] = _linear(step, tensors[step.input])
        elif isinstance(step, SynapseSums):
            s = _activation(step.synapses, tensors[step.input], clamped=True)
            tensors[step.numerator] = _listed(
                step.synapses.count, step.synapses.numerator * s, step.numerator_bias
            )
            tensors[step.denominator] = _listed(
                step.synapses.count, step.synapses.denominator * s, step.denominator_bias
            )
        elif isinstance(step, Substeps):
            tensors[step.output] = _substeps(step, tensors)
        elif isinstance(step, ExponentialSubsteps):
            tensors[step.output] = _exponential_substeps(step, tensors)
        elif isinstance(step, Elementwise):
            for operation in step.operations:
                if isinstance(operation, Binary):
                    result = BINARIES[operation.kind](tensors[operation.left], tensors[operation.right])
                else:
                    result = MAPS[operation.kind](tensors[operation.input])
                tensors[operation.output] = result
        elif isinstance(step, Part):
            tensors[step.output] = tensors[step.input][step.start : step.start + step.size]
        elif isinstance(step, Join):
            tensors[step.output] = np.concatenate([tensors[name] for name in step.inputs])
        else:
            _repeat(step, tensors)


def _repeat(step: Repeat[FlatStep], tensors: Tensors) -> None:
    tensors[step.carried] = tensors[step.start]
    for _ in range(step.count):
        _run(step.body, tensors)
        tensors[step.carried] = tensors[step.following]
    tensors[step.output] = tensors[step.carried]


def _linear(step: Linear, values: Float32) -> Float32:
    if step.count is None or step.columns is None:
        weight = step.weight.reshape(len(step.bias), -1)
        total = step.bias.copy()
        for column in range(weight.shape[1]):
            total = total + weight[:, column] * values[column]
        return total
    return _listed(step.count, step.weight * values[step.columns], step.bias)


def _listed(count: Index, terms: Float32, bias: Float32) -> Float32:
    """``bias`` plus the terms of each row, one after the other."""
    total = bias.copy()
    starts = np.cumsum(count) - count
    for position in range(int(count.max(initial=0))):
        rows = np.flatnonzero(count > position)
        total[rows] = total[rows] + terms[starts[rows] + position]
    return total


def _activation(synapses: Synapses, values: Float32, *, clamped: bool) -> Float32:
    u = synapses.slope * values[synapses.source] + synapses.offset
    return logistic2(clamp(u, MOST_EXPONENT) if clamped else u)


def _substeps(step: Substeps, tensors: Tensors) -> Float32:
    c = tensors[step.charge] * tensors[step.rate]
    n_in, d_in = tensors[step.numerator], tensors[step.denominator]
    v = tensors[step.state]
    for _ in range(step.unfolds):
        s = _activation(step.synapses, v, clamped=step.clamped)
        n = _listed(step.synapses.count, s * step.synapses.numerator, c * v + n_in)
        d = _listed(step.synapses.count, s * step.synapses.denominator, d_in)
        v = n / d
    return v


def _exponential_substeps(step: ExponentialSubsteps, tensors: Tensors) -> Float32:
    h = tensors[step.slope] * tensors[step.seconds]
    n_in, d_in = tensors[step.numerator], tensors[step.denominator]
    v = tensors[step.state]
    for _ in range(step.unfolds):
        s = _activation(step.synapses, v, clamped=step.clamped)
        n = _listed(step.synapses.count, s * step.synapses.numerator, n_in)
        d = _listed(step.synapses.count, s * step.synapses.denominator, d_in)
        power, even, odd = exp2_parts(maximum(h * d, np.full_like(d, -MOST_EXPONENT)))
        below = even - odd
        v = np.divide(n * below + (even + odd) * power * (v * d - n), d * below)
    return v
