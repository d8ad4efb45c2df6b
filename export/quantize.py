"""From a controller and its calibration to the quantisation plan."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from ltc_edge.controller import Controller
from ltc_edge.errors import FormatRefusedError
from ltc_edge.export.calibration import Measured, Sequences, measure, unit_steps
from ltc_edge.export.coordinates import Coordinates, unit_coordinates
from ltc_edge.export.lowering import lower_unit
from ltc_edge.export.plan import QuantizationPlan, Sensitivity, TensorPlan
from ltc_edge.export.program import (
    STATE_IN,
    STATE_OUT,
    Array,
    Binary,
    Concat,
    Dense,
    Map,
    Program,
    Range,
    Slice,
)
from ltc_edge.export.rounding import QuantizedDense, round_dense
from ltc_edge.export.sensitivity import sensitivities

CALIBRATED_MARGIN = 1.25
"""Headroom beyond what calibration saw, for tensors without a proved range."""

WIDEST_DT = 512
"""Longest over shortest dt: the shortest then still has 64 of the 32,768 steps of its code."""

SENSITIVITY_SEQUENCES, SENSITIVITY_STEPS = 8, 80

FLAT_BEYOND = {"sigmoid": 16.0, "tanh": 8.0, "exp": 11.0}
"""Where a function is within half a step of 2⁻¹⁵ of its end; for exp, which reads what is negative."""


@dataclass(frozen=True, eq=False)
class QuantizedStep:
    """A controller's step with its numbers: what a plan is about.

    Attributes:
        coordinates: unit coordinates of the step's signals.
        program: ``lower_unit(controller, coordinates)``.
        tensors: of every tensor and constant of the program.
        dense: integer weights of every dense operation, by its output.
    """

    coordinates: Coordinates
    program: Program
    tensors: Mapping[str, TensorPlan]
    dense: Mapping[str, QuantizedDense]


def quantize(controller: Controller, measured: Measured) -> QuantizedStep:
    """The step of ``controller`` in integers.

    Args:
        controller: the one that was measured, or one whose parameters have moved a little since.
        measured: its calibration.

    Raises:
        FormatRefusedError: the controller has no integer form.
    """
    _refuse_wide_dt(controller)
    coordinates = unit_coordinates(controller, **measured.signals)
    program = lower_unit(controller, coordinates)
    return QuantizedStep(coordinates, program, _tensors(program, measured), _dense(program, measured))


def make_plan(
    controller: Controller,
    calibration: tuple[Sequences, ...],
    *,
    percentile: float = 100.0,
    ranked: bool = True,
) -> QuantizationPlan:
    """The plan for ``controller``.

    Args:
        controller: what is to be quantised.
        calibration: what it sees while it works.
        percentile: share of the calibration's values, in percent, that lie below the upper end of an
            unproved range, and above its lower end; 100 is plain min and max.
        ranked: whether to find out too what costs how much accuracy, which no format needs.

    Raises:
        InputError: the calibration does not fit the controller.
        FormatRefusedError: the controller has no integer form.
    """
    _refuse_wide_dt(controller)
    measured = measure(controller, calibration, percentile=percentile)
    made = quantize(controller, measured)
    return QuantizationPlan(
        made.coordinates,
        made.tensors,
        made.dense,
        {
            "sources": [sequences.source for sequences in calibration],
            "steps": measured.steps,
            "percentile": percentile,
            "margin": CALIBRATED_MARGIN,
        },
        _ranking(controller, made, calibration[0]) if ranked else (),
    )


def _ranking(controller: Controller, made: QuantizedStep, first: Sequences) -> tuple[Sensitivity, ...]:
    """What each rounding costs alone, on the beginning of the ``first`` sequences of a calibration."""
    sample = dataclasses.replace(
        first,
        observation=first.observation[:SENSITIVITY_SEQUENCES, :SENSITIVITY_STEPS],
        dt_s=first.dt_s[:SENSITIVITY_SEQUENCES, :SENSITIVITY_STEPS],
        valid=first.valid[:SENSITIVITY_SEQUENCES, :SENSITIVITY_STEPS],
    )
    return sensitivities(
        made.program,
        made.tensors,
        made.dense,
        unit_steps(controller, made.coordinates, sample),
        made.coordinates.state.to_fraction(controller.reset_state),
    )


def _refuse_wide_dt(controller: Controller) -> None:
    timing = controller.timing
    if timing.dt_max_s > WIDEST_DT * timing.dt_min_s:
        raise FormatRefusedError(
            "dt-range",
            f"dt from {timing.dt_min_s:g} to {timing.dt_max_s:g} s is too wide for 16 bits (at most a factor "
            f"of {WIDEST_DT}, for the plan that integer files share); narrow it, for example with --dt-range "
            f"{timing.period_s / 2:g},{timing.period_s * 2:g}",
        )


def _dense(program: Program, measured: Measured) -> dict[str, QuantizedDense]:
    """Rounded weights; where sub-steps share a matrix they share its integers."""
    same: dict[tuple[bytes, bytes], list[Dense]] = {}
    for operation in program.dense():
        same.setdefault((operation.weight.tobytes(), operation.bias.tobytes()), []).append(operation)
    rounded: dict[str, QuantizedDense] = {}
    for operations in same.values():
        samples = np.concatenate([measured.samples[operation.output] for operation in operations])
        weights = round_dense(operations[0], samples)
        rounded |= {operation.output: weights for operation in operations}
    return rounded


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
    reach = min(reach, _flat_beyond(program, name))
    return Range(-reach if low < 0 else 0.0, reach if high > 0 else 0.0)


def _flat_beyond(program: Program, name: str) -> float:
    """Magnitude beyond which nothing that reads a tensor tells its values apart; infinite for none."""
    readers = [operation for operation in program.operations if name in operation.inputs]
    if not readers or not all(isinstance(reader, Map) and reader.kind in FLAT_BEYOND for reader in readers):
        return np.inf
    return max(FLAT_BEYOND[reader.kind] for reader in readers if isinstance(reader, Map))


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
