"""Statements of a generated step, whatever its arithmetic: lines, calls, vectors, views, joins and loops."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ltc_edge.export.c.loops import Repeat
from ltc_edge.export.c.parameters import ParameterBlock
from ltc_edge.export.c.scratch import Buffers
from ltc_edge.export.c.stages import stage_comment, stage_named_in
from ltc_edge.export.c.steps import Elementwise, Join, Part
from ltc_edge.export.c.text import KEYWORDS, WIDTH
from ltc_edge.export.program import Binary, Map

_RESERVED = KEYWORDS | {
    "context",
    "observation",
    "action",
    "dt",
    "status",
    "scratch",
    "drives",
    "activation",
    "seconds",
    "elapsed",
}
_RESERVED |= {"parameters", "golden", "i", "step", "repeat"}


def identifier(tensor: str) -> str:
    """A tensor's name in C."""
    # Sub-steps are one loop: which of them a tensor was named after says nothing.
    name = re.sub(r"\W", "_", re.sub(r"\bunfold_\d+\.", "", tensor), flags=re.ASCII)
    return f"{name}_" if name in _RESERVED else name


@dataclass
class StepWriter:
    """Writes steps that every arithmetic has; a subclass writes the others.

    Attributes:
        sizes: length of every tensor.
        block: takes the parameters.
        buffers: where each vector lies in the scratch array.
        places: expression of each vector, inputs included.
        lines: what was written.
        kernels: functions of the runtime that are called.
    """

    sizes: dict[str, int]
    block: ParameterBlock
    buffers: Buffers
    places: dict[str, str]
    lines: list[str] = field(default_factory=list)
    kernels: set[str] = field(default_factory=set)
    _indent: str = "    "
    _stage: str = ""

    element = "float"
    """C type of a vector's elements."""

    within = "float"
    """C type of a value inside of an elementwise loop."""

    copy = "ltc_copy_f32"

    def expression(self, operation: Binary | Map, operands: Sequence[str]) -> str:
        """An elementwise operation on expressions of its operands."""
        raise NotImplementedError

    def stored(self, value: str) -> str:
        """A value inside of a loop as an element."""
        return value

    def special(self, step: Any) -> None:
        """Write a step that is of this arithmetic alone."""
        raise NotImplementedError

    def constants(self, values: dict[str, Any]) -> None:
        """Put vectors that elementwise operations read into the parameters."""
        for name, array in values.items():
            self.places[name] = self.block.array(identifier(name), array)

    def write(self, steps: Iterable[Any]) -> None:
        """Write the steps."""
        for step in steps:
            self._begin_stage(step.output)
            if isinstance(step, Elementwise):
                self._elementwise(step)
            elif isinstance(step, Part):
                place = self.places[step.input]
                self.places[step.output] = place if step.start == 0 else f"({place} + {step.start})"
            elif isinstance(step, Join):
                self._join(step)
            elif isinstance(step, Repeat):
                self._repeat(step)
            else:
                self.special(step)

    def _begin_stage(self, tensor: str) -> None:
        """Say so where what makes a tensor belongs to another stage than what was written before."""
        stage = stage_named_in(tensor)
        if stage is not None and stage != self._stage:
            self._stage = stage
            self.line(stage_comment(stage))

    def line(self, text: str) -> None:
        """Write a line."""
        self.lines.append(f"{self._indent}{text}")

    def call(self, function: str, *arguments: str) -> None:
        """Write a call of a kernel."""
        self.kernels.add(function)
        self.listed(f"{function}(", arguments, ");")

    def listed(self, opening: str, items: Sequence[str], closing: str) -> None:
        """Write items between an opening and a closing, on as many lines as they need."""
        line = f"{self._indent}{opening}"
        margin = " " * min(len(line), len(self._indent) + 24)
        for item in items[:-1]:
            line += f"{item}, "
            if len(line) + len(items[-1]) > WIDTH - 16:
                self.lines.append(line.rstrip())
                line = margin
        self.lines.append(f"{line}{items[-1]}{closing}")

    def made(self, tensor: str) -> str:
        """Declare the vector that a step makes; returns its name."""
        name = identifier(tensor)
        if tensor not in self.places:
            self.line(f"{self.element} *const {name} = &scratch[{self.buffers.offsets[tensor]}];")
            self.places[tensor] = name
        return self.places[tensor]

    def _elementwise(self, step: Elementwise) -> None:
        kept = [op.output for op in step.operations if op.output in self.buffers.offsets]
        for name in kept:
            self.made(name)
        index = "i" if step.size > 1 else "0"
        self.line(f"for (uint32_t i = 0U; i < {step.size}U; ++i) {{" if step.size > 1 else "{")
        inside: dict[str, str] = {}

        def read(name: str) -> str:
            return inside.get(name) or f"{self.places[name]}[{index if self.sizes[name] > 1 else 0}]"

        for operation in step.operations:
            name = f"{identifier(operation.output)}_i"
            inner = self.expression(operation, [read(source) for source in operation.inputs])
            if operation.output in kept and not any(operation.output in op.inputs for op in step.operations):
                self.line(f"    {self.places[operation.output]}[{index}] = {self.stored(inner)};")
                continue
            self.line(f"    const {self.within} {name} = {inner};")
            inside[operation.output] = name
            if operation.output in kept:
                self.line(f"    {self.places[operation.output]}[{index}] = {self.stored(name)};")
        self.line("}")

    def _copy(self, source: str, target: str, size: int) -> None:
        self.call(self.copy, source, target, f"{size}U")

    def _join(self, step: Join) -> None:
        output = self.made(step.output)
        start = 0
        for name in step.inputs:
            size = self.sizes[name]
            self._copy(self.places[name], f"&{output}[{start}]" if start else output, size)
            start += size

    def _repeat(self, step: Repeat[Any]) -> None:
        carried = self.made(step.carried)
        size = self.sizes[step.carried]
        self._copy(self.places[step.start], carried, size)
        self.line(f"for (uint32_t repeat = 0U; repeat < {step.count}U; ++repeat) {{")
        self._indent += "    "
        self.write(step.body)
        self._copy(self.places[step.following], carried, size)
        self._indent = self._indent[:-4]
        self.line("}")
        self.places[step.output] = carried
