"""The proof that no sum of a generated int16 step overflows: intervals through the whole step, per element.

Every input is taken at every code it can have, every state at every code within its range, whatever the
others are; so what comes out holds for any run. Where a value could be beyond 32 bits the controller is
refused: nothing is left to luck at run time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from ltc_edge.errors import FormatRefusedError
from ltc_edge.export.c.int16 import arithmetic as c
from ltc_edge.export.c.int16.arithmetic import LEAST, MOST, ONE, PLACES_A_UNIT, Int
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

WORD = 2**31 - 1
HALF_DIVISOR = 2**15
"""The most that `ltc_ratio_i16` adds to twice its numerator."""


@dataclass(frozen=True, eq=False)
class Interval:
    """Least and greatest of each element, ``(n,)``."""

    low: Int
    high: Int

    @classmethod
    def codes(cls, size: int, low: int = LEAST, high: int = MOST) -> Interval:
        """All codes."""
        return cls(np.full(size, low, dtype=np.int64), np.full(size, high, dtype=np.int64))

    def __add__(self, other: Interval) -> Interval:
        return Interval(self.low + other.low, self.high + other.high)

    def __sub__(self, other: Interval) -> Interval:
        return Interval(self.low - other.high, self.high - other.low)

    def __mul__(self, other: Interval) -> Interval:
        ends = [a * b for a in (self.low, self.high) for b in (other.low, other.high)]
        return Interval(np.minimum.reduce(ends), np.maximum.reduce(ends))

    def magnitude(self) -> Int:
        """Greatest magnitude of each element."""
        return np.maximum(np.abs(self.low), np.abs(self.high))

    def saturated(self) -> Interval:
        """As codes."""
        return Interval(c.saturated(self.low), c.saturated(self.high))


@dataclass
class Proof:
    """What the intervals showed.

    Attributes:
        tensors: interval of each tensor of a step.
        widest: greatest magnitude of any intermediate value, and what it belongs to.
        checked: how many intermediate values were bounded.
    """

    tensors: dict[str, Interval]
    widest: tuple[int, str] = (0, "")
    checked: int = 0

    def within_word(self, where: str, *values: Interval | Int) -> None:
        """Every value fits 32 bits.

        Raises:
            FormatRefusedError: one may not.
        """
        for value in values:
            size = value.magnitude() if isinstance(value, Interval) else np.abs(value)
            self.checked += size.size
            most = int(size.max(initial=0))
            if most > self.widest[0]:
                self.widest = most, where
            if most > WORD:
                raise FormatRefusedError(
                    "overflow", f"{where}[{int(size.argmax())}] may reach {most}, beyond 32 bits"
                )


def prove(steps: Steps, inputs: Mapping[str, Interval]) -> Proof:
    """Bound every intermediate value of ``steps``.

    Args:
        steps: the step.
        inputs: interval of the codes of observation, dt and state.

    Raises:
        FormatRefusedError: one may be beyond 32 bits, a divisor may be 0, or the next state may leave the
            range that it was assumed to start in.
    """
    constants = {name: codes.astype(np.int64) for name, codes in steps.constants.items()}
    proof = Proof({name: Interval(codes, codes) for name, codes in constants.items()} | dict(inputs))
    _prove(steps.steps, proof, steps.bits)
    after = proof.tensors[steps.state]
    if (after.low < LEAST).any() or (after.high > MOST).any():
        raise FormatRefusedError("overflow", f"{steps.state} may leave its range of codes")
    return proof


def _prove(steps: Iterable[Step], proof: Proof, bits: Mapping[str, int]) -> None:
    for step in steps:
        if isinstance(step, Repeat):
            _repeat(step, proof, bits)
        elif isinstance(step, Elementwise):
            for operation in step.operations:
                proof.tensors[operation.output] = _elementwise(operation, proof, bits)
        elif isinstance(step, Matrix):
            _matrix(step, proof)
        elif isinstance(step, Sensory):
            source = proof.tensors[step.input]
            for which, bias in (
                ("numerator", step.numerator_bias.astype(np.int64)),
                ("denominator", step.denominator_bias.astype(np.int64)),
            ):
                where, before = getattr(step, which), Interval(bias, bias)
                proof.tensors[where] = _sums(step.synapses, before, which, source, where, proof)
        elif isinstance(step, Rates):
            _rates(step, proof)
        elif isinstance(step, Substeps):
            _substeps(step, proof)
        else:
            _moved(step, proof)


def _moved(step: Part | Join, proof: Proof) -> None:
    parts = [proof.tensors[name] for name in (step.inputs if isinstance(step, Join) else (step.input,))]
    low, high = (np.concatenate([getattr(part, end) for part in parts]) for end in ("low", "high"))
    if isinstance(step, Part):
        low, high = (end[step.start : step.start + step.size] for end in (low, high))
    proof.tensors[step.output] = Interval(low, high)


def _repeat(step: Repeat[FlatStep], proof: Proof, bits: Mapping[str, int]) -> None:
    """A loop holds for any number of turns where it holds from every code that it can carry."""
    size = len(proof.tensors[step.start].low)
    proof.tensors[step.carried] = Interval.codes(size)
    _prove(step.body, proof, bits)
    following = proof.tensors[step.following]
    assert (following.low >= LEAST).all()
    assert (following.high <= MOST).all()
    proof.tensors[step.output] = Interval.codes(size)


def _elementwise(operation: Binary | Map, proof: Proof, bits: Mapping[str, int]) -> Interval:
    where, out = operation.output, bits[operation.output]
    if isinstance(operation, Map):
        return _map(operation, proof, bits)
    a, b = proof.tensors[operation.left], proof.tensors[operation.right]
    bits_a, bits_b = bits[operation.left], bits[operation.right]
    if operation.kind == "mul":
        return _shifted(a * b, out - bits_a - bits_b, where, proof).saturated()
    unit = max(bits_a, bits_b)
    a, b = _shifted(a, unit - bits_a, where, proof), _shifted(b, unit - bits_b, where, proof)
    if operation.kind == "add":
        result = a + b
    elif operation.kind == "sub":
        result = a - b
    else:
        choose = np.minimum if operation.kind == "minimum" else np.maximum
        result = Interval(choose(a.low, b.low), choose(a.high, b.high))
    return _shifted(result, out - unit, where, proof).saturated()


def _map(operation: Map, proof: Proof, bits: Mapping[str, int]) -> Interval:
    """All functions but gelu rise or fall with their argument; gelu is taken at its widest."""
    where, bits_in, out = operation.output, bits[operation.input], bits[operation.output]
    x = proof.tensors[operation.input]
    size = len(x.low)
    if operation.kind == "gelu":
        _shifted(x * Interval.codes(size, 0, MOST), out - 15 - bits_in, where, proof)
        return Interval.codes(size)
    if operation.kind in ("abs", "relu"):
        _shifted(x, out - bits_in, where, proof)
        return Interval.codes(size, 0)
    if operation.kind == "exp":
        proof.within_word(where, x.magnitude() * c.LOG2E)
    else:
        place = _shifted(x, PLACES_A_UNIT[operation.kind] - bits_in, where, proof)
        proof.within_word(where, Interval(place.low + c.MIDDLE, place.high + c.MIDDLE))
    return Interval.codes(size, LEAST if operation.kind == "tanh" else 0)


def _shifted(value: Interval, left: int, where: str, proof: Proof) -> Interval:
    if left < 0:
        proof.within_word(where, Interval(value.low - (1 << (-left - 1)), value.high + (1 << (-left - 1))))
    result = Interval(c.shifted(value.low, left), c.shifted(value.high, left))
    proof.within_word(where, result)
    return result


def _matrix(step: Matrix, proof: Proof) -> None:
    values, rows = proof.tensors[step.input], step.rows
    # Any order of the sum: every partial sum is within the sum of magnitudes.
    weight = np.abs(step.weight.astype(np.int64))
    size = values.magnitude()
    if step.count is None or step.columns is None:
        reach = weight.reshape(len(rows.bias), -1) @ size
    else:
        reach = np.zeros(len(rows.bias), dtype=np.int64)
        np.add.at(reach, np.repeat(np.arange(len(reach)), step.count), weight * size[step.columns])
    proof.within_word(step.output, reach + np.abs(rows.bias.astype(np.int64)))
    within = (rows.limit.astype(np.int64) >> rows.before.astype(np.int64)) + 1
    half = np.int64(1) << (rows.after.astype(np.int64) - 1)
    proof.within_word(step.output, within * rows.multiplier + half)
    proof.tensors[step.output] = Interval.codes(len(rows.bias))


def _sums(
    synapses: Synapses, before: Interval, which: str, source: Interval, where: str, proof: Proof
) -> Interval:
    """What is there before, plus weights times sigmoids from 0 to 1, in any order."""
    product = np.abs(synapses.slope.astype(np.int64)) * source.magnitude()[synapses.source]
    offset = synapses.offset.astype(np.int64)
    proof.within_word(where, product + np.abs(offset))
    if not synapses.clamped and (offset - product).min(initial=0) < 0:
        raise FormatRefusedError("overflow", f"{where}: a place may lie before the table of sigmoids")
    weight = getattr(synapses, which).astype(np.int64) * MOST
    target = np.repeat(np.arange(len(before.low)), synapses.count)
    low, high = before.low.copy(), before.high.copy()
    np.add.at(low, target, np.minimum(weight, 0))
    np.add.at(high, target, np.maximum(weight, 0))
    result = Interval(low, high)
    proof.within_word(where, result)
    return result


def _rates(step: Rates, proof: Proof) -> None:
    t = proof.tensors[step.elapsed]
    fast, slow = step.fast.astype(np.int64), step.slow.astype(np.int64)
    drawn = Interval(t.low * fast, t.high * fast)
    both = Interval(drawn.low + slow * ONE, drawn.high + slow * ONE)
    _ratio(drawn, both, step.output, proof)
    proof.tensors[step.output] = Interval.codes(len(fast), 0)


def _substeps(step: Substeps, proof: Proof) -> None:
    synapses, where = step.synapses, step.output
    size = len(synapses.count)
    x, moved = Interval.codes(size), proof.tensors[step.moved]
    for which in ("numerator", "denominator"):
        _sums(synapses, proof.tensors[getattr(step, which)], which, x, where, proof)
    n, one = Interval.codes(size), Interval.codes(size, ONE, ONE)
    for end in (moved.low, moved.high):
        # What is kept and what is moved add up to 1, and everything is linear in it: its ends suffice.
        m, kept = Interval(end, end), _kept(step, Interval(ONE - end, ONE - end), proof)
        below = kept * one + m * Interval.codes(size, 0)
        _ratio(kept * x + m * n, below, where, proof)
        # Of neurons that nothing of the list ends in: how far they are drawn, and where to.
        _ratio(m * Interval.codes(size, 1), below, where, proof)
    _ratio(n * one, Interval.codes(size, 1) * one, where, proof)
    proof.within_word(where, Interval.codes(size, 0) * (x - x) + Interval.codes(size, 0, 1 << 14))
    proof.tensors[where] = Interval.codes(size)


def _kept(step: Substeps, share: Interval, proof: Proof) -> Interval:
    """What a sub-step keeps of a state: all of its share, or by exponential Euler between 1 and all of it."""
    if step.pace is None:
        return share
    proof.within_word(step.output, proof.tensors[step.pace] * Interval.codes(len(share.low), 0))
    proof.within_word(
        step.output, share * Interval.codes(len(share.low), 0) + Interval.codes(len(share.low), 0)
    )
    if (share.low < 1).any() or int(c.BERNOULLI.min() >> 16) < 1:
        raise FormatRefusedError("ill-conditioned", f"{step.output} might keep nothing of a state")
    return Interval(np.ones_like(share.low), share.high)


def _ratio(numerator: Interval, denominator: Interval, where: str, proof: Proof) -> None:
    """Both of its operands and what it makes of them; that it is a fraction is saturated, not proved."""
    if (denominator.low < 1 << 14).any():
        neuron = int(denominator.low.argmin())
        raise FormatRefusedError("ill-conditioned", f"{where}[{neuron}] might be divided by 0")
    # Unsigned words of the C: twice the numerator and half of the divisor.
    proof.within_word(where, numerator, denominator)
    doubled = 2 * numerator.magnitude() + HALF_DIVISOR
    if (doubled > 2**32 - 1).any() or (denominator.high > 2**30).any():
        raise FormatRefusedError("overflow", f"{where} may divide what is beyond 32 bits")
