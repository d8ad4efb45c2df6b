"""The statements of a generated step: loops over vectors and calls of the runtime's kernels."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ltc_edge.export.c.parameters import ParameterBlock
from ltc_edge.export.c.scratch import Buffers
from ltc_edge.export.c.steps import (
    Elementwise,
    Join,
    Linear,
    Part,
    Repeat,
    Step,
    Steps,
    Substeps,
    Synapses,
    SynapseSums,
)
from ltc_edge.export.c.text import KEYWORDS, WIDTH
from ltc_edge.export.program import Binary, Map

_OPERATORS = {"add": "+", "sub": "-", "mul": "*", "div": "/"}
_RESERVED = KEYWORDS | {
    "context",
    "observation",
    "action",
    "dt",
    "status",
    "scratch",
    "activation",
    "seconds",
}
_RESERVED |= {"parameters", "golden", "i", "step", "repeat"}


def identifier(tensor: str) -> str:
    """A tensor's name in C."""
    # Sub-steps are one loop: which of them a tensor was named after says nothing.
    name = re.sub(r"\W", "_", re.sub(r"\bunfold_\d+\.", "", tensor), flags=re.ASCII)
    return f"{name}_" if name in _RESERVED else name


@dataclass
class Body:
    """Writes the steps.

    Attributes:
        steps: what to write.
        block: takes the parameters.
        buffers: where each vector lies in the scratch array.
        places: expression of each vector, inputs included.
        lines: what was written.
        kernels: functions of the runtime that are called.
        activations: most synapses of a list.
    """

    steps: Steps
    block: ParameterBlock
    buffers: Buffers
    places: dict[str, str]
    lines: list[str] = field(default_factory=list)
    kernels: set[str] = field(default_factory=set)
    activations: int = 0
    _indent: str = "    "

    def write(self) -> None:
        """Write every step."""
        for name, values in self.steps.constants.items():
            self.places[name] = self.block.floats(identifier(name), values)
        self._write(self.steps.steps)

    def _write(self, steps: Iterable[Step]) -> None:
        for step in steps:
            if isinstance(step, Linear):
                self._linear(step)
            elif isinstance(step, SynapseSums):
                self._sums(step)
            elif isinstance(step, Substeps):
                self._substeps(step)
            elif isinstance(step, Elementwise):
                self._elementwise(step)
            elif isinstance(step, Part):
                place = self.places[step.input]
                self.places[step.output] = place if step.start == 0 else f"({place} + {step.start})"
            elif isinstance(step, Join):
                self._join(step)
            else:
                self._repeat(step)

    def _line(self, text: str) -> None:
        self.lines.append(f"{self._indent}{text}")

    def _call(self, function: str, *arguments: str) -> None:
        self.kernels.add(function)
        self._listed(f"{function}(", arguments, ");")

    def _listed(self, opening: str, items: Sequence[str], closing: str) -> None:
        """Items between an opening and a closing, on as many lines as they need."""
        line = f"{self._indent}{opening}"
        margin = " " * min(len(line), len(self._indent) + 24)
        for item in items[:-1]:
            line += f"{item}, "
            if len(line) + len(items[-1]) > WIDTH - 16:
                self.lines.append(line.rstrip())
                line = margin
        self.lines.append(f"{line}{items[-1]}{closing}")

    def _made(self, tensor: str) -> str:
        """Declare the vector that a step makes; returns its name."""
        name = identifier(tensor)
        if tensor not in self.places:
            self._line(f"float *const {name} = &scratch[{self.buffers.offsets[tensor]}];")
            self.places[tensor] = name
        return self.places[tensor]

    def _linear(self, step: Linear) -> None:
        name, rows = identifier(step.output), f"{len(step.bias)}U"
        weight = self.block.floats(f"{name}_weight", step.weight)
        bias = self.block.floats(f"{name}_bias", step.bias)
        source, output = self.places[step.input], self._made(step.output)
        if step.count is None or step.columns is None:
            columns = f"{self.steps.sizes[step.input]}U"
            self._call("ltc_dense_f32", weight, bias, source, output, rows, columns)
        else:
            count = self.block.indices(f"{name}_count", step.count)
            column = self.block.indices(f"{name}_column", step.columns)
            self._call("ltc_sparse_f32", count, column, weight, bias, source, output, rows)

    def _synapses(self, tensor: str, synapses: Synapses) -> str:
        name = identifier(tensor)
        self.activations = max(self.activations, len(synapses.source))
        members = [*self.block.synapses(name, synapses), f"{len(synapses.count)}U"]
        self._listed(f"static const ltc_synapses_f32 {name}_synapses = {{ ", members, " };")
        return f"&{name}_synapses"

    def _sums(self, step: SynapseSums) -> None:
        name = identifier(step.output)
        synapses = self._synapses(step.output, step.synapses)
        n_in = self.block.floats(f"{name}_bias", step.numerator_bias)
        d_in = self.block.floats(f"{identifier(step.denominator)}_bias", step.denominator_bias)
        n, d = self._made(step.numerator), self._made(step.denominator)
        source = self.places[step.input]
        self._call("ltc_synapse_sums_f32", synapses, source, n_in, d_in, n, d, "activation")

    def _substeps(self, step: Substeps) -> None:
        synapses = self._synapses(step.output, step.synapses)
        places = [self.places[name] for name in (step.c, step.numerator, step.denominator, step.state)]
        self._call(
            "ltc_substeps_clamped_f32" if step.clamped else "ltc_substeps_f32",
            synapses,
            *places,
            self._made(step.output),
            "activation",
            f"{step.unfolds}U",
        )

    def _elementwise(self, step: Elementwise) -> None:
        kept = [op.output for op in step.operations if op.output in self.buffers.offsets]
        for name in kept:
            self._made(name)
        index = "i" if step.size > 1 else "0"
        self._line(f"for (uint32_t i = 0U; i < {step.size}U; ++i) {{" if step.size > 1 else "{")
        inside: dict[str, str] = {}
        for operation in step.operations:
            name = f"{identifier(operation.output)}_i"
            inner = self._expression(operation, index, inside)
            if operation.output in kept and not any(operation.output in op.inputs for op in step.operations):
                self._line(f"    {self.places[operation.output]}[{index}] = {inner};")
                continue
            self._line(f"    const float {name} = {inner};")
            inside[operation.output] = name
            if operation.output in kept:
                self._line(f"    {self.places[operation.output]}[{index}] = {name};")
        self._line("}")

    def _expression(self, operation: Binary | Map, index: str, inside: dict[str, str]) -> str:
        def read(name: str) -> str:
            if name in inside:
                return inside[name]
            return f"{self.places[name]}[{index if self.steps.sizes[name] > 1 else 0}]"

        if isinstance(operation, Map):
            return f"ltc_{operation.kind}({read(operation.input)})"
        left, right = read(operation.left), read(operation.right)
        if operation.kind in _OPERATORS:
            return f"{left} {_OPERATORS[operation.kind]} {right}"
        return f"ltc_{operation.kind}({left}, {right})"

    def _copy(self, source: str, target: str, size: int) -> None:
        self._call("ltc_copy_f32", source, target, f"{size}U")

    def _join(self, step: Join) -> None:
        output = self._made(step.output)
        start = 0
        for name in step.inputs:
            size = self.steps.sizes[name]
            self._copy(self.places[name], f"&{output}[{start}]" if start else output, size)
            start += size

    def _repeat(self, step: Repeat) -> None:
        carried = self._made(step.carried)
        size = self.steps.sizes[step.carried]
        self._copy(self.places[step.start], carried, size)
        self._line(f"for (uint32_t repeat = 0U; repeat < {step.count}U; ++repeat) {{")
        self._indent += "    "
        self._write(step.body)
        self._copy(self.places[step.following], carried, size)
        self._indent = self._indent[:-4]
        self._line("}")
        self.places[step.output] = carried
