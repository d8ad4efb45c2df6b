"""One step of a controller as a short list of vector operations: what every writer but the hub's starts from.

A `Program` is data. Each tensor is a vector with a name; each operation makes one of them. There are few
kinds of operation, each of which ONNX, LiteRT and C have, so a target is a table from kinds to its own
operators, and calibration, sensitivity and the search for a diverging tensor are written once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from ltc_edge.arrays import FloatArray

Array = FloatArray
BinaryKind = Literal["add", "sub", "mul", "div", "minimum", "maximum"]
MapKind = Literal["sigmoid", "tanh", "exp", "bernoulli", "abs", "relu", "gelu"]
"""``bernoulli`` is ``x / (exp(x) − 1)``, 1 at 0, of what is not negative."""

OBSERVATION, DT, STATE_IN = "observation", "dt", "state_in"
ACTION, STATE_OUT = "action", "state_out"


@dataclass(frozen=True, eq=False)
class Dense:
    """``output = weight @ input + bias``; weight ``(n, k)``, bias ``(n,)``.

    ``step``, ``(n,)``, is set where the weights were made to be whole multiples of it, a row at a time.
    """

    output: str
    input: str
    weight: Array
    bias: Array
    step: Array | None = None

    @property
    def inputs(self) -> tuple[str, ...]:
        """Tensors read."""
        return (self.input,)


@dataclass(frozen=True)
class Binary:
    """``output = left ∘ right`` elementwise; either may be a constant, and a vector of one is broadcast."""

    kind: BinaryKind
    output: str
    left: str
    right: str

    @property
    def inputs(self) -> tuple[str, ...]:
        """Tensors and constants read."""
        return (self.left, self.right)


@dataclass(frozen=True)
class Map:
    """``output = f(input)`` elementwise."""

    kind: MapKind
    output: str
    input: str

    @property
    def inputs(self) -> tuple[str, ...]:
        """Tensors read."""
        return (self.input,)


@dataclass(frozen=True)
class Slice:
    """``output = input[start:stop]``."""

    output: str
    input: str
    start: int
    stop: int

    @property
    def inputs(self) -> tuple[str, ...]:
        """Tensors read."""
        return (self.input,)


@dataclass(frozen=True)
class Concat:
    """The inputs one after the other."""

    output: str
    inputs: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Affine:
    """``raw = center + span · fraction``, each ``(n,)``; spans are positive."""

    center: Array
    span: Array

    def to_raw(self, fraction: Array) -> Array:
        """Raw values of fractions."""
        return self.center + self.span * fraction

    def to_fraction(self, raw: Array) -> Array:
        """Fractions of raw values."""
        return (raw - self.center) / self.span


Operation = Dense | Binary | Map | Slice | Concat


@dataclass(frozen=True)
class Range:
    """Where a tensor's values lie, ``low ≤ value ≤ high``.

    Attributes:
        saturates: values beyond are cut off and nothing is lost, as before a sigmoid.
    """

    low: float
    high: float
    saturates: bool = False

    @property
    def magnitude(self) -> float:
        """Largest magnitude."""
        return max(abs(self.low), abs(self.high))


@dataclass(frozen=True, eq=False)
class Program:
    """One step.

    Attributes:
        sizes: length of each tensor and constant, inputs included.
        inputs: names of the inputs: observation, dt, state_in.
        outputs: tensor that holds each output: action, state_out.
        constants: vectors that elementwise operations read.
        operations: in an order in which they can be executed.
        proved: ranges that hold for every input, by proof.
        stages: which stage of the controller made each tensor, for reports.
    """

    sizes: Mapping[str, int]
    inputs: tuple[str, ...]
    outputs: Mapping[str, str]
    constants: Mapping[str, Array]
    operations: tuple[Operation, ...]
    proved: Mapping[str, Range]
    stages: Mapping[str, str]

    def dense(self) -> Iterator[Dense]:
        """The operations that hold weights."""
        return (operation for operation in self.operations if isinstance(operation, Dense))


@dataclass(frozen=True, eq=False)
class Signal:
    """A tensor and what it stands for: the natural value is ``center + span · tensor``.

    An affine map costs nothing where the next operation is `Dense`, which takes it into its weights.
    """

    tensor: str
    center: Array
    span: Array

    @classmethod
    def natural(cls, tensor: str, size: int) -> Signal:
        """A tensor that stands for itself."""
        return cls(tensor, np.zeros(size), np.ones(size))


@dataclass
class ProgramBuilder:
    """Collects operations; each method returns the name of the tensor it makes."""

    _sizes: dict[str, int] = field(default_factory=dict)
    _inputs: list[str] = field(default_factory=list)
    _constants: dict[str, Array] = field(default_factory=dict)
    _operations: list[Operation] = field(default_factory=list)
    _proved: dict[str, Range] = field(default_factory=dict)
    _stages: dict[str, str] = field(default_factory=dict)
    _stage: str = ""

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Name tensors made inside ``name.…``."""
        outer = self._stage
        self._stage = f"{outer}.{name}" if outer else name
        yield
        self._stage = outer

    def input(self, name: str, size: int, proved: Range | None = None) -> str:
        """An input of the step."""
        self._inputs.append(name)
        self._sizes[name] = size
        self._stages[name] = "input"
        if proved is not None:
            self._proved[name] = proved
        return name

    def constant(self, name: str, values: Array) -> str:
        """A constant vector."""
        name = self._full(name)
        assert name not in self._sizes, name
        self._constants[name] = np.asarray(values, dtype=np.float64)
        self._sizes[name] = len(values)
        return name

    def dense(
        self,
        name: str,
        signals: Signal | tuple[Signal, ...],
        weight: Array,
        bias: Array,
        proved: Range | None = None,
        step: Array | None = None,
    ) -> str:
        """``weight @ natural values of the signals + bias``, signals one after the other.

        ``step`` may be given where no span is folded in: see `Dense`.
        """
        source = self.joined(f"{name}_input", signals if isinstance(signals, tuple) else (signals,))
        operation = Dense(
            self._full(name), source.tensor, weight * source.span, bias + weight @ source.center, step
        )
        return self._add(operation, len(bias), proved)

    def binary(self, kind: BinaryKind, name: str, left: str, right: str, proved: Range | None = None) -> str:
        """``left ∘ right``."""
        size = max(self._sizes[left], self._sizes[right])
        return self._add(Binary(kind, self._full(name), left, right), size, proved)

    def map(self, kind: MapKind, name: str, source: str, proved: Range | None = None) -> str:
        """``f(source)``."""
        return self._add(Map(kind, self._full(name), source), self._sizes[source], proved)

    def slice(self, name: str, source: str, start: int, stop: int) -> str:
        """``source[start:stop]``."""
        operation = Slice(self._full(name), source, start, stop)
        return self._add(operation, stop - start, self._proved.get(source))

    def concat(self, name: str, sources: tuple[str, ...]) -> str:
        """The sources one after the other."""
        ranges = [self._proved.get(source) for source in sources]
        known = [r for r in ranges if r is not None]
        joined = (
            Range(min(r.low for r in known), max(r.high for r in known))
            if len(known) == len(ranges)
            else None
        )
        size = sum(self._sizes[source] for source in sources)
        return self._add(Concat(self._full(name), sources), size, joined)

    def part(self, name: str, signal: Signal, start: int, stop: int) -> Signal:
        """Channels ``start`` to ``stop`` of a signal."""
        tensor = self.slice(name, signal.tensor, start, stop)
        return Signal(tensor, signal.center[start:stop], signal.span[start:stop])

    def joined(self, name: str, signals: tuple[Signal, ...]) -> Signal:
        """The signals one after the other, as one that several `dense` operations can read."""
        if len(signals) == 1:
            return signals[0]
        tensor = self.concat(name, tuple(part.tensor for part in signals))
        return Signal(
            tensor,
            np.concatenate([part.center for part in signals]),
            np.concatenate([part.span for part in signals]),
        )

    def natural(self, signal: Signal) -> str:
        """A tensor of the signal's natural values."""
        tensor, known = signal.tensor, self.range_of(signal.tensor)
        if (signal.span != 1.0).any():
            bound = None if known is None else _scaled(known, float(signal.span.max()))
            tensor = self.binary(
                "mul",
                f"{_last(tensor)}_spanned",
                tensor,
                self.constant(f"{_last(tensor)}_span", signal.span),
                bound,
            )
        if (signal.center != 0.0).any():
            tensor = self.binary(
                "add",
                f"{_last(tensor)}_shifted",
                tensor,
                self.constant(f"{_last(tensor)}_center", signal.center),
            )
        return tensor

    def in_coordinates(self, name: str, signal: Signal, wanted: Affine) -> str:
        """A tensor of the signal as fractions of the coordinates ``wanted``.

        The coordinates hold every value of a signal whose range is proved; others saturate at their ends.
        """
        tensor, known = signal.tensor, self.range_of(signal.tensor)
        proved = Range(-1.0, 1.0, saturates=known is None or known.saturates)
        if (signal.center == wanted.center).all() and (signal.span == wanted.span).all():
            if known is None:
                self.prove(tensor, proved)
            return tensor
        gain, shift = signal.span / wanted.span, (signal.center - wanted.center) / wanted.span
        if (gain != 1.0).any():
            scaled = None if known is None else _scaled(known, float(gain.max()))
            last = (shift == 0.0).all()
            tensor = self.binary(
                "mul",
                name if last else f"{name}_scaled",
                tensor,
                self.constant(f"{name}_gain", gain),
                proved if last else scaled,
            )
        if (shift != 0.0).any():
            tensor = self.binary("add", name, tensor, self.constant(f"{name}_shift", shift), proved)
        return tensor

    def prove(self, tensor: str, proved: Range) -> None:
        """Record where a tensor's values lie."""
        self._proved[tensor] = proved

    def range_of(self, tensor: str) -> Range | None:
        """The proved range of a tensor, where there is one."""
        return self._proved.get(tensor)

    def program(self, *, action: str, state_out: str) -> Program:
        """The finished program."""
        return Program(
            sizes=self._sizes,
            inputs=tuple(self._inputs),
            outputs={ACTION: action, STATE_OUT: state_out},
            constants=self._constants,
            operations=tuple(self._operations),
            proved=self._proved,
            stages=self._stages,
        )

    def _full(self, name: str) -> str:
        return f"{self._stage}.{name}" if self._stage else name

    def _add(self, operation: Operation, size: int, proved: Range | None) -> str:
        assert operation.output not in self._sizes, operation.output
        assert all(source in self._sizes for source in operation.inputs), operation
        self._operations.append(operation)
        self._sizes[operation.output] = size
        self._stages[operation.output] = self._stage
        if proved is not None:
            self._proved[operation.output] = proved
        return operation.output


def _scaled(known: Range, factor: float) -> Range:
    return Range(known.low * factor, known.high * factor, known.saturates)


def _last(tensor: str) -> str:
    return tensor.rpartition(".")[2]
