"""The quantised step in float64: every tensor rounded to its code, as the integer targets have it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from ltc_edge.export.execute import Hook, ProgramBatch
from ltc_edge.export.plan import TensorPlan
from ltc_edge.export.program import Array, Dense, Operation, Program
from ltc_edge.export.rounding import QuantizedDense


def with_integer_weights(program: Program, dense: Mapping[str, QuantizedDense]) -> Program:
    """``program`` with the weights that the integers stand for."""

    def replaced(operation: Operation) -> Operation:
        if not isinstance(operation, Dense) or operation.output not in dense:
            return operation
        rounded = dense[operation.output]
        return dataclasses.replace(operation, weight=rounded.weight(), bias=rounded.bias)

    return dataclasses.replace(program, operations=tuple(replaced(o) for o in program.operations))


def with_rounded_constants(program: Program, tensors: Mapping[str, TensorPlan]) -> Program:
    """``program`` with its constants as 16-bit codes have them."""
    rounded = {name: round16(values, tensors[name]) for name, values in program.constants.items()}
    return dataclasses.replace(program, constants=rounded)


def codes16(values: Array, plan: TensorPlan) -> npt.NDArray[np.int16]:
    """16-bit codes: to the nearest, ties to even, saturating."""
    codes: npt.NDArray[np.int16] = np.clip(np.rint(values / plan.scale16), -32768, 32767).astype(np.int16)
    return codes


def round16(values: Array, plan: TensorPlan) -> Array:
    """Values after a round trip through the 16-bit code."""
    result: Array = codes16(values, plan) * plan.scale16
    return result


def round8(values: Array, plan: TensorPlan) -> Array:
    """Values after a round trip through the 8-bit code."""
    code = np.clip(np.rint(values / plan.scale8) + plan.zero8, -128, 127)
    result: Array = (code - plan.zero8) * plan.scale8
    return result


def rounding_hook(
    tensors: Mapping[str, TensorPlan],
    chosen: Callable[[str], bool] = lambda _: True,
    rounding: Callable[[Array, TensorPlan], Array] = round16,
) -> Hook:
    """A hook that rounds the chosen tensors."""
    return lambda name, values: rounding(values, tensors[name]) if chosen(name) else values


def simulate16(
    program: Program, tensors: Mapping[str, TensorPlan], dense: Mapping[str, QuantizedDense]
) -> ProgramBatch:
    """The step as a target with 16-bit activations and 8-bit weights computes it."""
    integer = with_rounded_constants(with_integer_weights(program, dense), tensors)
    return ProgramBatch(integer, rounding_hook(tensors))
