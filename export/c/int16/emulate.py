"""A generated int16 controller in NumPy: the same codes as its C, bit for bit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import numpy as np

from ltc_edge.export.c.int16 import arithmetic as c
from ltc_edge.export.c.int16.arithmetic import ONE, Int
from ltc_edge.export.c.int16.matrices import row_sums
from ltc_edge.export.c.int16.steps import (
    FlatStep,
    Matrix,
    Rates,
    Sensory,
    Step,
    Steps,
    Substeps,
    Synapses,
)
from ltc_edge.export.c.loops import Repeat
from ltc_edge.export.c.steps import Elementwise, Join, Part
from ltc_edge.export.program import Binary, Map

Tensors = dict[str, Int]


def run_steps(steps: Steps, inputs: Mapping[str, Int]) -> Tensors:
    """Every tensor of one step, by name.

    Args:
        steps: what to run.
        inputs: codes of observation, dt and state, ``(n,)`` each.
    """
    tensors: Tensors = {name: codes.astype(np.int64) for name, codes in steps.constants.items()}
    tensors |= inputs
    _run(steps.steps, tensors, steps.bits)
    return tensors


def _run(steps: Iterable[Step], tensors: Tensors, bits: Mapping[str, int]) -> None:
    for step in steps:
        if isinstance(step, Repeat):
            _repeat(step, tensors, bits)
        elif isinstance(step, Elementwise):
            for operation in step.operations:
                tensors[operation.output] = elementwise(operation, tensors, bits)
        else:
            _one(step, tensors)


def _one(step: Matrix | Sensory | Rates | Substeps | Part | Join, tensors: Tensors) -> None:
    if isinstance(step, Matrix):
        tensors[step.output] = _matrix(step, tensors[step.input])
    elif isinstance(step, Sensory):
        biases = step.numerator_bias.astype(np.int64), step.denominator_bias.astype(np.int64)
        sums = _sums(step.synapses, tensors[step.input], *biases)
        tensors[step.numerator], tensors[step.denominator] = sums
    elif isinstance(step, Rates):
        drawn = tensors[step.elapsed] * step.fast
        tensors[step.output] = c.ratio(drawn, drawn + step.slow.astype(np.int64) * ONE)
    elif isinstance(step, Substeps):
        tensors[step.output] = _substeps(step, tensors)
    elif isinstance(step, Part):
        tensors[step.output] = tensors[step.input][step.start : step.start + step.size]
    else:
        tensors[step.output] = np.concatenate([tensors[name] for name in step.inputs])


def _repeat(step: Repeat[FlatStep], tensors: Tensors, bits: Mapping[str, int]) -> None:
    tensors[step.carried] = tensors[step.start]
    for _ in range(step.count):
        _run(step.body, tensors, bits)
        tensors[step.carried] = tensors[step.following]
    tensors[step.output] = tensors[step.carried]


def elementwise(operation: Binary | Map, tensors: Mapping[str, Int], bits: Mapping[str, int]) -> Int:
    """Codes of an elementwise operation, saturated."""
    out = bits[operation.output]
    if isinstance(operation, Map):
        return c.saturated(_MAPS[operation.kind](tensors[operation.input], bits[operation.input], out))
    a, b = tensors[operation.left], tensors[operation.right]
    bits_a, bits_b = bits[operation.left], bits[operation.right]
    if operation.kind == "mul":
        return c.saturated(c.shifted(a * b, out - bits_a - bits_b))
    # Brought to the finer of the two units first.
    unit = max(bits_a, bits_b)
    a, b = a << (unit - bits_a), b << (unit - bits_b)
    return c.saturated(c.shifted(_BINARIES[operation.kind](a, b), out - unit))


_BINARIES: Mapping[str, Callable[[Int, Int], Int]] = {
    "add": np.add,
    "sub": np.subtract,
    "minimum": np.minimum,
    "maximum": np.maximum,
}
_MAPS: Mapping[str, Callable[[Int, int, int], Int]] = {
    "sigmoid": lambda x, bits, out: c.shifted(c.sigmoid(x, bits), out - 15),
    "tanh": lambda x, bits, out: c.shifted(c.tanh(x, bits), out - 15),
    "exp": lambda x, bits, out: c.shifted(c.exp(x, bits), out - 15),
    "gelu": lambda x, bits, out: c.shifted(x * c.normal(x, bits), out - 15 - bits),
    "abs": lambda x, bits, out: c.shifted(np.abs(x), out - bits),
    "relu": lambda x, bits, out: c.shifted(np.maximum(x, 0), out - bits),
}


def _matrix(step: Matrix, values: Int) -> Int:
    rows = step.rows
    total = rows.bias + row_sums(step, values)
    within = np.clip(total, -rows.limit, rows.limit) >> rows.before.astype(np.int64)
    return c.saturated(c.scaled(within * rows.multiplier, rows.after))


def activations(synapses: Synapses, values: Int) -> Int:
    """The sigmoid of every synapse, ``(S,)``."""
    u = synapses.slope * values[synapses.source] + synapses.offset
    return c.read(c.SIGMOID, u >> synapses.shift)


def _sums(synapses: Synapses, values: Int, n: Int, d: Int) -> tuple[Int, Int]:
    """Sums that begin with ``n`` and ``d``, plus the synapses, ``(N,)`` each."""
    s = activations(synapses, values)
    target = np.repeat(np.arange(len(n)), synapses.count)
    sums = n.copy(), d.copy()
    for total, weight in zip(sums, (synapses.numerator, synapses.denominator), strict=True):
        np.add.at(total, target, weight * s)
    return sums


def _codes(synapses: Synapses, n: Int, d: Int) -> tuple[Int, Int]:
    """Sums as codes."""
    bits = synapses.weight_bits
    return c.saturated(n >> bits), np.clip(d >> bits, 0, c.MOST)


def _substeps(step: Substeps, tensors: Tensors) -> Int:
    synapses, moved = step.synapses, tensors[step.moved]
    n_in, d_in = tensors[step.numerator], tensors[step.denominator]
    kept = ONE - moved
    alone = np.arange(len(moved)) >= synapses.listening
    n, d = _codes(synapses, n_in, d_in)
    least = np.maximum(d, 1)
    drawn_to = c.ratio(n * ONE, least * ONE)

    def stays(d: Int) -> Int:
        """What is kept of the state by a neuron that conducts ``d``."""
        return kept if step.pace is None else c.kept(kept, tensors[step.pace], d, step.shift)

    how_far = c.ratio(moved * least, stays(least) * ONE + moved * least)
    x = tensors[step.state]
    for _ in range(step.unfolds):
        n, d = _codes(synapses, *_sums(synapses, x, n_in, d_in))
        still = stays(d)
        listening = c.ratio(still * x + moved * n, still * ONE + moved * d)
        x = np.where(alone, x + c.scaled(how_far * (drawn_to - x), 15), listening)
    return x
