"""The statements of a generated int16 step: loops over codes and calls of the runtime's kernels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ltc_edge.export.c.int16.arithmetic import BERNOULLI, EXP, MIDDLE, NORMAL, PLACES_A_UNIT, SIGMOID
from ltc_edge.export.c.int16.steps import Int16, Int32, Matrix, Rates, Sensory, Substeps, Synapses
from ltc_edge.export.c.int16.tables import Table
from ltc_edge.export.c.parameters import Array
from ltc_edge.export.c.scratch import Buffers
from ltc_edge.export.c.writing import StepWriter, identifier
from ltc_edge.export.program import Binary, Map

_TABLES: Mapping[str, Table] = {
    "sigmoid_table": SIGMOID,
    "normal_table": NORMAL,
    "exp_table": EXP,
    "bernoulli_table": BERNOULLI,
}


@dataclass
class Body(StepWriter):
    """Writes int16 steps.

    Attributes:
        bits: a tensor's codes are in 2^-bits.
        drives: where each vector of drives lies in an array of its own.
    """

    bits: Mapping[str, int] = field(default_factory=dict)
    drives: Buffers = field(default_factory=lambda: Buffers({}, 0))
    _tables: set[str] = field(default_factory=set)

    element = "int16_t"
    within = "int32_t"
    copy = "ltc_copy_i16"

    def expression(self, operation: Binary | Map, operands: Sequence[str]) -> str:
        """A saturated code, of 32 bits."""
        out = self.bits[operation.output]
        if isinstance(operation, Map):
            value, bits = self._map(operation.kind, operands[0], self.bits[operation.input])
            return _saturated(_shifted(value, out - bits))
        a, b = operands
        bits_a, bits_b = self.bits[operation.left], self.bits[operation.right]
        if operation.kind == "mul":
            return _saturated(_shifted(f"(int32_t){a} * {b}", out - bits_a - bits_b))
        # Brought to the finer of the two units first.
        unit = max(bits_a, bits_b)
        left, right = _shifted(f"(int32_t){a}", unit - bits_a), _shifted(f"(int32_t){b}", unit - bits_b)
        if operation.kind in ("add", "sub"):
            value = f"{left} {'+' if operation.kind == 'add' else '-'} {right}"
        else:
            value = f"ltc_{operation.kind}_i32({left}, {right})"
        return _saturated(_shifted(value, out - unit))

    def _map(self, kind: str, x: str, bits: int) -> tuple[str, int]:
        """A function of a code, and the bits of its value."""
        if kind in ("abs", "relu"):
            return (f"ltc_abs_i32({x})" if kind == "abs" else f"ltc_maximum_i32({x}, 0)"), bits
        if kind == "exp":
            return f"ltc_exp_i16({self._table('exp_table')}, {x}, {bits}U)", 15
        if kind == "gelu":
            place = _place(x, bits, "normal")
            return f"(int32_t){x} * ltc_read_i16({self._table('normal_table')}, {place})", bits + 15
        function = "ltc_tanh_i16" if kind == "tanh" else "ltc_read_i16"
        return f"{function}({self._table('sigmoid_table')}, {_place(x, bits, kind)})", 15

    def stored(self, value: str) -> str:
        """See `StepWriter.stored`."""
        return f"(int16_t){value}"

    def special(self, step: Any) -> None:
        """See `StepWriter.special`."""
        if isinstance(step, Matrix):
            self._matrix(step)
        elif isinstance(step, Sensory):
            self._sensory(step)
        elif isinstance(step, Rates):
            self._rates(step)
        else:
            self._substeps(step)

    def _table(self, name: str) -> str:
        if name not in self._tables:
            self._tables.add(name)
            self.block.array(name, _TABLES[name])
        return f"parameters.{name}"

    def _matrix(self, step: Matrix) -> None:
        name, rows = identifier(step.output), step.rows
        weight = self.block.array(f"{name}_weight", step.weight)
        fields: dict[str, Array] = {
            "bias": rows.bias,
            "limit": rows.limit,
            "multiplier": rows.multiplier,
            "before": rows.before,
            "after": rows.after,
        }
        row = self.block.table(f"{name}_row", "ltc_row_i16", fields)
        source, output, count = self.places[step.input], self.made(step.output), f"{len(rows.bias)}U"
        if step.count is None or step.columns is None:
            columns = f"{self.sizes[step.input]}U"
            self.call("ltc_dense_i16", weight, row, source, output, count, columns)
        else:
            listed = self.block.array(f"{name}_count", step.count)
            column = self.block.array(f"{name}_column", step.columns)
            self.call("ltc_sparse_i16", listed, column, weight, row, source, output, count)

    def _synapses(self, tensor: str, synapses: Synapses) -> str:
        name = identifier(tensor)
        fields: dict[str, Array] = {
            "offset": synapses.offset,
            "weights": _words(synapses.numerator, synapses.denominator),
            "slope": synapses.slope,
            "source": synapses.source,
        }
        members = (
            self.block.array(f"{name}_count", synapses.count),
            self.block.table(f"{name}_synapse", "ltc_synapse_i16", fields),
            self._table("sigmoid_table"),
            f"{len(synapses.count)}U",
            f"{synapses.listening}U",
            f"{synapses.shift}U",
            f"{synapses.weight_bits}U",
        )
        self.listed(f"static const ltc_synapses_i16 {name}_synapses = {{ ", members, " };")
        return f"&{name}_synapses"

    def _sensory(self, step: Sensory) -> None:
        synapses = self._synapses(step.output, step.synapses)
        biases = [
            self.block.array(f"{identifier(tensor)}_bias", bias)
            for tensor, bias in (
                (step.numerator, step.numerator_bias),
                (step.denominator, step.denominator_bias),
            )
        ]
        name = f"{identifier(step.numerator)}_drive"
        self.line(f"ltc_drive_i16 *const {name} = &drives[{self.drives.offsets[step.output]}];")
        self.places[step.output] = name
        self.call("ltc_sensory_i16", synapses, self.places[step.input], *biases, name)

    def _rates(self, step: Rates) -> None:
        name = identifier(step.output)
        fast = self.block.array(f"{name}_fast", step.fast)
        slow = self.block.array(f"{name}_slow", step.slow)
        elapsed, output = self.places[step.elapsed], self.made(step.output)
        self.call("ltc_rates_i16", f"{elapsed}[0]", fast, slow, output, f"{len(step.fast)}U")

    def _substeps(self, step: Substeps) -> None:
        synapses = self._synapses(step.output, step.synapses)
        moved, drive, state = (self.places[name] for name in (step.moved, step.numerator, step.state))
        ending = "_clamped_i16" if step.synapses.clamped else "_i16"
        last = drive, state, self.made(step.output), f"{step.unfolds}U"
        if step.pace is None:
            self.call(f"ltc_substeps{ending}", synapses, moved, *last)
            return
        name = f"{identifier(step.output)}_decay"
        members = (self.places[step.pace], self._table("bernoulli_table"), f"{step.shift}U")
        self.listed(f"const ltc_decay_i16 {name} = {{ ", members, " };")
        self.call(f"ltc_substeps_exponential{ending}", synapses, moved, f"&{name}", *last)


def _words(low: Int16, high: Int16) -> Int32:
    """Words of two halves."""
    return (high.astype(np.int32) << 16) | (low.astype(np.int32) & 0xFFFF)


def _place(x: str, bits: int, function: str) -> str:
    """Where a code lies in the table of a function."""
    return f"{_shifted(f'(int32_t){x}', PLACES_A_UNIT[function] - bits)} + {MIDDLE}"


def _shifted(value: str, left: int) -> str:
    """An expression times 2^left; rounded where that is negative."""
    if left < 0:
        return f"ltc_scaled_i32({value}, {-left}U)"
    if left == 0:
        return value
    return f"({value}) * {1 << left}"


def _saturated(value: str) -> str:
    return f"ltc_code_i16({value})"
