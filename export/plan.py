"""The quantisation plan: one set of numbers for every integer target.

``quantization.json`` holds it. Activations have 16 bits with scales that are powers of two, most of them
2⁻¹⁵ (see ``coordinates.py``); weights have 8 bits and a scale for each output channel. The same document
gives each tensor an 8-bit format too, for runtimes that want everything in 8 bits.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ltc_edge.export.calibration import Measured
from ltc_edge.export.coordinates import Coordinates
from ltc_edge.export.program import (
    STATE_IN,
    STATE_OUT,
    Array,
    Binary,
    Concat,
    Map,
    Program,
    Range,
    Slice,
)
from ltc_edge.export.rounding import QuantizedDense, round_dense

CALIBRATED_MARGIN = 1.25
"""Headroom beyond what calibration saw, for tensors without a proved range."""

SATURATION = 16.0
"""A sigmoid or tanh is flat beyond it, to 16 bits."""


@dataclass(frozen=True)
class TensorPlan:
    """How one tensor, or the values of one constant, are coded.

    Attributes:
        low, high: range that is covered.
        observed: least and greatest value during calibration.
        proved: whether the range holds by proof rather than by measurement.
        scale16: value of one step of the 16-bit code, a power of two; its zero point is 0.
        scale8, zero8: of the 8-bit code.
    """

    low: float
    high: float
    observed: tuple[float, float]
    proved: bool
    scale16: float
    scale8: float
    zero8: int


@dataclass(frozen=True, eq=False)
class QuantizationPlan:
    """The plan of one controller.

    Attributes:
        coordinates: unit coordinates of the step's signals; they determine the program.
        tensors: of every tensor and constant of ``lower_unit(controller, coordinates)``.
        dense: integer weights of every dense operation, by its output.
        calibration: what was run, in words.
        sensitivity: RMS error over σ of the action, in percent, when only this is quantised.
    """

    coordinates: Coordinates
    tensors: Mapping[str, TensorPlan]
    dense: Mapping[str, QuantizedDense]
    calibration: Mapping[str, Any]
    sensitivity: tuple[Mapping[str, Any], ...] = field(default=())


def make_plan(measured: Measured, calibration: Mapping[str, Any]) -> QuantizationPlan:
    """The plan for a controller from what its calibration showed."""
    program = measured.program
    dense = {
        operation.output: round_dense(operation, measured.samples[operation.output])
        for operation in program.dense()
    }
    return QuantizationPlan(measured.coordinates, _tensors(program, measured), dense, calibration)


def _tensors(program: Program, measured: Measured) -> dict[str, TensorPlan]:
    plans = {name: _constant(values) for name, values in program.constants.items()}
    for group in _same_format(program):
        ranges = [_range(program, name, measured.ranges) for name in group]
        joined = Range(min(r.low for r in ranges), max(r.high for r in ranges))
        observed = (
            min(measured.ranges[name][0] for name in group),
            max(measured.ranges[name][1] for name in group),
        )
        proved = all(name in program.proved for name in group)
        scale8, zero8 = _format8(program, group, joined, observed)
        for name in group:
            plans[name] = TensorPlan(
                joined.low, joined.high, observed, proved, _scale16(joined), scale8, zero8
            )
    return plans


def _constant(values: Array) -> TensorPlan:
    bound = Range(float(values.min()), float(values.max()))
    # Unlike a tensor's, a constant's largest value must not saturate.
    scale16 = 2.0 ** np.ceil(np.log2(max(bound.magnitude, 2.0**-15) / 32767))
    scale8 = max(bound.magnitude, 2.0**-15) / 127
    return TensorPlan(bound.low, bound.high, (bound.low, bound.high), True, float(scale16), scale8, 0)


def _range(program: Program, name: str, seen: Mapping[str, tuple[float, float]]) -> Range:
    if name in program.proved:
        return program.proved[name]
    low, high = seen[name]
    reach = CALIBRATED_MARGIN * max(abs(low), abs(high), 2.0**-15)
    if _saturates(program, name):
        reach = min(reach, SATURATION)
    return Range(-reach if low < 0 else 0.0, reach if high > 0 else 0.0)


def _saturates(program: Program, name: str) -> bool:
    readers = [operation for operation in program.operations if name in operation.inputs]
    return bool(readers) and all(isinstance(r, Map) and r.kind in ("sigmoid", "tanh") for r in readers)


def _scale16(bound: Range) -> float:
    """A power of two; 1.0 is coded as 32767 of 2⁻¹⁵, short by half a step of nothing that matters."""
    return float(2.0 ** (np.ceil(np.log2(max(bound.magnitude, 2.0**-15))) - 15))


def _format8(
    program: Program, group: Iterable[str], bound: Range, observed: tuple[float, float]
) -> tuple[float, int]:
    """Asymmetric, over what calibration saw with its margin, within what is possible."""
    for operation in program.operations:
        if isinstance(operation, Map) and operation.output in group:
            # LiteRT fixes these two.
            if operation.kind == "sigmoid":
                return 1 / 256, -128
            if operation.kind == "tanh":
                return 1 / 128, 0
    low = max(bound.low, min(0.0, CALIBRATED_MARGIN * observed[0]))
    high = min(bound.high, max(0.0, CALIBRATED_MARGIN * observed[1]))
    scale = max(high - low, 2.0**-15) / 255
    return scale, int(np.clip(np.rint(-128 - low / scale), -128, 127))


def _same_format(program: Program) -> list[tuple[str, ...]]:
    """Groups of tensors that must share one format: integers pass between them unchanged.

    A slice or concatenation moves codes, minimum and maximum compare them, and the state that leaves one
    step is the state that enters the next.
    """
    leader = {name: name for name in program.sizes if name not in program.constants}

    def find(name: str) -> str:
        while leader[name] != name:
            name = leader[name]
        return name

    def join(left: str, right: str) -> None:
        leader[find(left)] = find(right)

    join(STATE_IN, program.outputs[STATE_OUT])
    for operation in program.operations:
        moves = isinstance(operation, Slice | Concat)
        compares = isinstance(operation, Binary) and operation.kind in ("minimum", "maximum")
        if moves or compares:
            for source in operation.inputs:
                join(source, operation.output)
    groups: dict[str, list[str]] = {}
    for name in leader:
        groups.setdefault(find(name), []).append(name)
    return [tuple(group) for group in groups.values()]
