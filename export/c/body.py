"""The statements of a generated float32 step: loops over vectors and calls of the runtime's kernels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ltc_edge.export.c.steps import ExponentialSubsteps, Linear, Substeps, Synapses, SynapseSums
from ltc_edge.export.c.writing import StepWriter, identifier
from ltc_edge.export.program import Binary, Map

_OPERATORS = {"add": "+", "sub": "-", "mul": "*", "div": "/"}


@dataclass
class Body(StepWriter):
    """Writes float32 steps; ``activations`` counts the synapses of the longest list."""

    activations: int = 0

    def expression(self, operation: Binary | Map, operands: Sequence[str]) -> str:
        """See `StepWriter.expression`."""
        if isinstance(operation, Map) or operation.kind not in _OPERATORS:
            return f"ltc_{operation.kind}({', '.join(operands)})"
        left, right = operands
        return f"{left} {_OPERATORS[operation.kind]} {right}"

    def special(self, step: Any) -> None:
        """See `StepWriter.special`."""
        if isinstance(step, Linear):
            self._linear(step)
        elif isinstance(step, SynapseSums):
            self._sums(step)
        elif isinstance(step, Substeps):
            self._substeps(step, self.places[step.charge], step.rate, "ltc_substeps")
        else:
            self._substeps(step, self.places[step.slope], step.seconds, "ltc_substeps_exponential")

    def _linear(self, step: Linear) -> None:
        name, rows = identifier(step.output), f"{len(step.bias)}U"
        weight = self.block.array(f"{name}_weight", step.weight)
        bias = self.block.array(f"{name}_bias", step.bias)
        source, output = self.places[step.input], self.made(step.output)
        if step.count is None or step.columns is None:
            columns = f"{self.sizes[step.input]}U"
            self.call("ltc_dense_f32", weight, bias, source, output, rows, columns)
        else:
            count = self.block.array(f"{name}_count", step.count)
            column = self.block.array(f"{name}_column", step.columns)
            self.call("ltc_sparse_f32", count, column, weight, bias, source, output, rows)

    def _synapses(self, tensor: str, synapses: Synapses) -> str:
        name = identifier(tensor)
        self.activations = max(self.activations, len(synapses.source))
        columns = {
            "slope": synapses.slope,
            "offset": synapses.offset,
            "numerator": synapses.numerator,
            "denominator": synapses.denominator,
        }
        members = (
            self.block.array(f"{name}_count", synapses.count),
            self.block.array(f"{name}_source", synapses.source),
            self.block.table(f"{name}_synapse", "ltc_synapse_f32", columns),
            f"{len(synapses.count)}U",
        )
        self.listed(f"static const ltc_synapses_f32 {name}_synapses = {{ ", members, " };")
        return f"&{name}_synapses"

    def _sums(self, step: SynapseSums) -> None:
        name = identifier(step.output)
        synapses = self._synapses(step.output, step.synapses)
        n_in = self.block.array(f"{name}_bias", step.numerator_bias)
        d_in = self.block.array(f"{identifier(step.denominator)}_bias", step.denominator_bias)
        n, d = self.made(step.numerator), self.made(step.denominator)
        source = self.places[step.input]
        self.call("ltc_synapse_sums_f32", synapses, source, n_in, d_in, n, d, "activation")

    def _substeps(self, step: Substeps | ExponentialSubsteps, each: str, time: str, kernel: str) -> None:
        """A call of a kernel, with a number for each neuron and one of the elapsed time."""
        synapses = self._synapses(step.output, step.synapses)
        places = [self.places[name] for name in (step.numerator, step.denominator, step.state)]
        self.call(
            f"{kernel}_clamped_f32" if step.clamped else f"{kernel}_f32",
            synapses,
            each,
            f"{self.places[time]}[0]",
            *places,
            self.made(step.output),
            "activation",
            f"{step.unfolds}U",
        )
