"""From the unit program and its plan to the steps that C executes in 16-bit codes: see `steps`."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np

from ltc_edge.controller import Controller
from ltc_edge.errors import FormatRefusedError
from ltc_edge.export.c.int16.arithmetic import MOST, ONE
from ltc_edge.export.c.int16.dataflow import reads
from ltc_edge.export.c.int16.matrices import matrix
from ltc_edge.export.c.int16.steps import FlatStep, Int16, Rates, Sensory, Step, Steps, Substeps
from ltc_edge.export.c.int16.substeps import exponential_substep, fused_substep
from ltc_edge.export.c.int16.synapses import (
    PATTERN,
    UNIT,
    RealSynapses,
    integer_drive,
    real_synapses,
    weight_bits,
)
from ltc_edge.export.c.loops import Repeat, flat, steps_and_loops
from ltc_edge.export.c.steps import Elementwise, Join, Part
from ltc_edge.export.lowering import lower_unit
from ltc_edge.export.plan import QuantizationPlan
from ltc_edge.export.program import ACTION, STATE_OUT, Binary, Dense, Map, Operation, Program, Slice
from ltc_edge.export.simulate import codes16

READOUT = "readout.action"
_RATE = 3
"""Operations of a rate: drawn, both, moved."""


def lower_steps(controller: Controller, plan: QuantizationPlan) -> Steps:
    """The step of a controller from codes to codes.

    Raises:
        FormatRefusedError: the controller has no integer form, or a sum of it would overflow.
    """
    program = lower_unit(controller, plan.coordinates)
    bits = {name: _bits(plan.tensors[name].scale16) for name in program.sizes}
    sizes = dict(program.sizes)
    lists = _synapses(program, plan)
    fuser = _Fuser(program, plan, bits, weight_bits(lists), bool(lists))
    steps = [_merged(step) for step in steps_and_loops(list(program.operations), fuser.fuse, sizes)]
    for step in steps:
        if isinstance(step, Repeat):
            bits[step.carried] = bits[step.output]
    action, state = program.outputs[ACTION], program.outputs[STATE_OUT]
    used = _used(steps, {action, state, READOUT})
    rounded = tuple(_rounded(step) if isinstance(step, Sensory) else step for step in used)
    return Steps(rounded, sizes, bits, _constants(used, program, plan), action, READOUT, state)


def _bits(scale: float) -> int:
    bits = round(-math.log2(scale))
    assert scale == 2.0**-bits, scale
    return bits


def _synapses(program: Program, plan: QuantizationPlan) -> list[RealSynapses]:
    """The lists of synapses whose sums are added to each other: the inputs' and the first sub-step's."""
    lists = [
        found
        for index in range(len(program.operations))
        if (found := real_synapses(program.operations[index:], program.constants, plan)) is not None
    ]
    return lists[:2]


def _merged(step: Step) -> Step:
    """A loop over a single sub-step as the kernel that has the loop inside."""
    if isinstance(step, Repeat) and len(step.body) == 1 and isinstance(step.body[0], Substeps):
        inner = step.body[0]
        assert inner.state == step.carried
        return replace(inner, output=step.output, state=step.start, unfolds=step.count)
    return step


def _rounded(step: Sensory) -> Sensory:
    """The biases with half of a code more, for the shift that rounds the sums down in each sub-step."""
    half = np.int32(1 << (step.synapses.weight_bits - 1))
    return replace(
        step, numerator_bias=step.numerator_bias + half, denominator_bias=step.denominator_bias + half
    )


def _used(steps: Iterable[Step], wanted: set[str]) -> list[Step]:
    """The steps that something reads."""
    kept: list[Step] = []
    for step in reversed(list(steps)):
        made = {step.output}
        if isinstance(step, Sensory):
            made.add(step.denominator)
        if isinstance(step, Elementwise):
            operations = []
            for operation in reversed(step.operations):
                if operation.output in wanted:
                    operations.append(operation)
                    wanted |= set(operation.inputs)
            if operations:
                kept.append(Elementwise(tuple(reversed(operations)), step.size))
        elif made & wanted:
            kept.append(step)
            wanted |= reads(step)
    return kept[::-1]


def _constants(steps: Iterable[Step], program: Program, plan: QuantizationPlan) -> dict[str, Int16]:
    names = {
        name
        for step in flat(list(steps))
        if isinstance(step, Elementwise)
        for operation in step.operations
        for name in operation.inputs
    }
    return {
        name: codes16(values, plan.tensors[name])
        for name, values in program.constants.items()
        if name in names
    }


@dataclass
class _Fuser:
    """Makes steps of operations: kernels where they fit, elementwise loops and matrices elsewhere.

    ``of_synapses`` says that rates are those of an LTC's neurons, in the unit of its synapses.
    """

    program: Program
    plan: QuantizationPlan
    bits: dict[str, int]
    weight_bits: int
    of_synapses: bool
    _steps: list[FlatStep] = field(default_factory=list)

    def fuse(self, operations: list[Operation]) -> list[FlatStep]:
        """The steps of consecutive operations."""
        self._steps = []
        index = 0
        while index < len(operations):
            index += self._next(operations[index:])
        return self._steps

    def _next(self, operations: list[Operation]) -> int:
        """Add the step that the first operations make; returns how many there were of them."""
        synapses = real_synapses(operations, self.program.constants, self.plan)
        if synapses is not None:
            return self._synapses(synapses, operations)
        if (rates := self._rates(operations)) is not None:
            self._steps.append(rates)
            return _RATE
        self._single(operations[0])
        return 1

    def _synapses(self, synapses: RealSynapses, operations: list[Operation]) -> int:
        bits_in = self.bits[_origin(synapses.operations[0].input)]
        drive = integer_drive(synapses, self.weight_bits, bits_in)
        rest = operations[PATTERN:]
        if synapses.numerator_bias.any() or synapses.denominator_bias.any():
            found = None
        else:
            found = fused_substep(drive, rest) or exponential_substep(drive, rest, self.bits)
        if found is None:
            self._steps.append(drive)
            return PATTERN
        substep, count = found
        self._steps.append(substep)
        return PATTERN + count

    def _rates(self, operations: list[Operation]) -> Rates | None:
        constants = self.program.constants
        match tuple(operations[:_RATE]):
            case (
                Binary("mul", drawn, elapsed, fast),
                Binary("add", both, drawn_again, slow),
                Binary("div", moved, left, right),
            ) if (drawn_again, left, right) == (drawn, drawn, both) and {fast, slow} <= constants.keys():
                unit = UNIT if self.of_synapses else 1.0
                parts = unit * constants[fast], constants[slow]
                shares = (np.rint(ONE * part / sum(parts)) for part in parts)
                return Rates(moved, elapsed, *(np.clip(s, 0, MOST).astype(np.int16) for s in shares))
        return None

    def _single(self, operation: Operation) -> None:
        if isinstance(operation, Dense):
            bits_in, bits_out = self.bits[_origin(operation.input)], self.bits[operation.output]
            quantized = self.plan.dense[operation.output]
            self._steps.append(matrix(operation, quantized, bits_in, bits_out))
        elif isinstance(operation, Slice):
            size = operation.stop - operation.start
            self._steps.append(Part(operation.output, operation.input, operation.start, size))
        elif isinstance(operation, Binary | Map):
            self._elementwise(operation)
        else:
            self._steps.append(Join(operation.output, operation.inputs))

    def _elementwise(self, operation: Binary | Map) -> None:
        if isinstance(operation, Binary) and operation.kind == "div":
            raise FormatRefusedError(
                "unsupported",
                f"{operation.output}: integers divide in the kernels of an LTC and a CT-RNN alone",
            )
        size = self.program.sizes[operation.output]
        last = self._steps[-1] if self._steps else None
        if isinstance(last, Elementwise) and last.size == size:
            self._steps[-1] = Elementwise((*last.operations, operation), size)
        else:
            self._steps.append(Elementwise((operation,), size))


def _origin(tensor: str) -> str:
    """A tensor with the same codes: what a loop carries has those of the loop's result."""
    return tensor.removesuffix("_carried")
