"""Runs a program in float64, over any batch: for calibration, sensitivity, and tests of the form itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ltc_edge.export.program import (
    ACTION,
    DT,
    OBSERVATION,
    STATE_IN,
    STATE_OUT,
    Array,
    Binary,
    Concat,
    Dense,
    Map,
    Program,
)
from ltc_edge.runtimes.reference import gelu, sigmoid

_BINARY: Mapping[str, Callable[[Any, Any], Any]] = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
    "minimum": np.minimum,
    "maximum": np.maximum,
}


def bernoulli(x: Array) -> Array:
    """``x / (exp(x) − 1)``, with its limit 1 at 0."""
    # Beyond 700 the exponential is no longer a float64.
    values: Array = np.minimum(x, 700.0)
    return np.divide(values, np.expm1(values), out=np.ones_like(values), where=values != 0.0)


_MAP: Mapping[str, Callable[[Any], Any]] = {
    "sigmoid": sigmoid,
    "tanh": np.tanh,
    "exp": np.exp,
    "bernoulli": bernoulli,
    "abs": np.abs,
    "relu": lambda x: np.maximum(x, 0.0),
    "gelu": gelu,
}
Hook = Callable[[str, Array], Array]
"""(tensor's name, values (B, n)) → the values to go on with."""


class ProgramBatch:
    """A program over ``B`` independent states.

    Args:
        program: what to run.
        hook: sees every tensor as it is made, and may change it: this is how ranges are observed and
            quantisation is tried.
    """

    def __init__(self, program: Program, hook: Hook | None = None) -> None:
        self.program = program
        self._hook = hook
        self._weights = {d.output: d.weight.T.copy() for d in program.dense()}

    def step(self, observation: Array, dt: Array, state: Array) -> tuple[Array, Array]:
        """One step in the program's own coordinates.

        Args:
            observation: ``(B, I)``.
            dt: ``(B, 1)``.
            state: ``(B, S)``.

        Returns:
            Actions ``(B, M)`` and next states ``(B, S)``.
        """
        tensors = self.tensors(observation, dt, state)
        return tensors[self.program.outputs[ACTION]], tensors[self.program.outputs[STATE_OUT]]

    def tensors(
        self, observation: Array, dt: Array, state: Array, *, known: Mapping[str, Array] | None = None
    ) -> dict[str, Array]:
        """Every tensor of one step, by name, ``(B, n)`` each; ``known`` ones are taken as they are."""
        values: dict[str, Array] = dict(self.program.constants)
        values.update(known or {})
        for name, given in ((OBSERVATION, observation), (DT, dt), (STATE_IN, state)):
            if name not in values:
                values[name] = self._seen(name, given)
        result: Array
        for operation in self.program.operations:
            if isinstance(operation, Dense):
                result = values[operation.input] @ self._weights[operation.output] + operation.bias
            elif isinstance(operation, Binary):
                result = _BINARY[operation.kind](values[operation.left], values[operation.right])
            elif isinstance(operation, Map):
                result = _MAP[operation.kind](values[operation.input])
            elif isinstance(operation, Concat):
                result = np.concatenate([values[source] for source in operation.inputs], axis=1)
            else:
                result = values[operation.input][:, operation.start : operation.stop]
            values[operation.output] = self._seen(operation.output, result)
        return values

    def _seen(self, name: str, values: Array) -> Array:
        return values if self._hook is None else self._hook(name, values)
