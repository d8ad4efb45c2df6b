"""Files of integers: activations of 16 or 8 bits, weights of 8.

What was compared with exact arithmetic, over all codes where there are few, in ai-edge-litert 2.3 and
tflite-runtime 2.14:

- FULLY_CONNECTED, ADD, SUB, MUL, MINIMUM, MAXIMUM, SLICE, CONCATENATION: right to the last bit but for
  ties, with saturation; a vector of one is broadcast.
- MUL, int16: as long as the input scales' product is at most half the output's; `litert_rules` asks it.
- DIV, int16: right, and saturates. Of two vectors of one length only: with broadcasting it takes another
  way, whose shifts overflow for small denominators. Refuses to run on a zero. Absent from 2.14.
- LOGISTIC and TANH, int16: within a code or two, except where the scale is `COARSE_SCALES`.
- EXP and GELU, int16: within eight codes where what enters EXP is in `EXP_REACH` and not above 0, as
  here. GELU is absent from 2.14.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from ltc_edge.errors import FormatRefusedError
from ltc_edge.export.litert.flatbuffer import flatbuffer
from ltc_edge.export.litert.graph import FLOAT, Dtype, Format
from ltc_edge.export.litert.lowering import Lowering
from ltc_edge.export.litert.operators import version
from ltc_edge.export.plan import QuantizationPlan
from ltc_edge.export.program import Array, Binary, Concat, Dense, Map, Program, Slice
from ltc_edge.runtimes.codes import Codes, Interface

Bits = Literal[8, 16]
Division = Literal["integer", "float"]

COARSE_SCALES = {"sigmoid": (2.0**-12,), "tanh": (2.0**-12, 2.0**-11)}
"""Input scales for which the int16 kernels skip their rescaling, and with it most of their table: they
are then wrong by up to 6 and 12 codes instead of 1 and 2."""

EXP_REACH = 11.0
"""exp(−11) is half a step of 2⁻¹⁵, so what enters may saturate there. The int16 kernel's table has 512
steps over all of its input's range, however wide: over ±64 it errs by hundreds of codes, here by eight."""

BERNOULLI = (0.284928, 0.145376)
"""a and b with which ``exp(−y·(½ + a·tanh(b·y)))`` is ``y / (exp(y) − 1)`` to within 1.4e-4, some four codes,
where y is not negative: a fit of the least greatest error, of what LiteRT has kernels for."""

NUDGE = 1.0 + 2.0**-9
"""Enough for a scale not to count as a power of two."""

LEAST_GAIN, GREATEST_GAIN = 2.0**-30, 2.0**7
"""Range of input scale · weight scale / output scale that every kernel's multiplier and shift represent."""

BIAS_LIMIT = {8: 2.0**30, 16: 2.0**46}
"""Biases of int8 graphs are 32-bit, of int16 graphs 64-bit; kernels ask for 48 bits of sum."""


def integer_interface(
    program: Program, plan: QuantizationPlan, reset_state: Array, bits: Bits = 16
) -> Interface:
    """The codes of a file's inputs and outputs.

    Args:
        program: from ``lower_unit``.
        plan: its formats and coordinates.
        reset_state: ``controller.reset_state``.
        bits: of the activations.
    """
    dtype: Literal["int16", "int8"] = "int16" if bits == 16 else "int8"
    coordinates = plan.coordinates

    def codes(name: str, tensor: str) -> Codes:
        affine, own = getattr(coordinates, name), plan.tensors[tensor]
        scale, zero = (own.scale16, 0) if bits == 16 else (own.scale8, own.zero8)
        return Codes(dtype, _decimal(affine.center), _decimal(affine.span), float(np.float32(scale)), zero)

    observation, dt, state = program.inputs
    action = program.outputs["action"]
    return Interface(
        codes("observation", observation),
        codes("dt", dt),
        codes("state", state),
        codes("action", action),
        _decimal(reset_state),
    )


def integer_model(
    program: Program,
    plan: QuantizationPlan,
    interface: Interface,
    document: Mapping[str, Any] | None = None,
    *,
    bits: Bits = 16,
    division: Division = "integer",
) -> bytes:
    """A ``.tflite`` file of one step in integers.

    Args:
        program: from ``lower_unit``.
        plan: formats of its tensors and integer weights.
        interface: from `integer_interface`.
        document: names, units, period and whatever else the file is to say about itself, as JSON.
        bits: of the activations; weights have 8.
        division: ``"float"`` where the runtime has no integer DIV, as tflite-runtime 2.14.

    Raises:
        FormatRefusedError: an operator has no kernel of integers, or weights are too large for one.
        MissingExtraError: ai-edge-litert is not installed.
    """
    legacy = division == "float" and bits == 16
    if legacy and any(isinstance(o, Map) and o.kind == "gelu" for o in program.operations):
        raise FormatRefusedError(
            "no-kernel", "tflite-runtime 2.14 has no int16 GELU; train with tanh or silu"
        )
    # tflite-runtime 2.14 is the oldest tested; which was the first with an integer DIV is not documented.
    divides = any(isinstance(o, Binary) and o.kind == "div" for o in program.operations)
    runtime = None if divides and division == "integer" else "2.14.0"
    graph = _Integer(program, plan, bits, division).graph(interface, document or {}, runtime)
    return flatbuffer(graph)


class _Integer(Lowering):
    def __init__(self, program: Program, plan: QuantizationPlan, bits: Bits, division: Division) -> None:
        dtype: Dtype = "int16" if bits == 16 else "int8"
        super().__init__(program, dtype)
        self._plan, self._bits, self._division = plan, bits, division
        self._formats = _formats(program, plan, bits, dtype)

    def format(self, name: str) -> Format:
        return self._formats[name]

    def stored(self, name: str, values: Array) -> np.ndarray[Any, Any]:
        return _quantized(values, self._formats[name])

    def weights(self, operation: Dense) -> tuple[int, int]:
        source, target = self._formats[operation.input].scale[0], self._formats[operation.output].scale[0]
        rounded = self._plan.dense[operation.output]
        values, scale = rounded.values, rounded.scale
        # A row of tiny weights may be all bias: a coarser scale for it loses nothing and fits the integers.
        least = np.maximum(
            LEAST_GAIN * target / source, np.abs(rounded.bias) / (BIAS_LIMIT[self._bits] * source)
        )
        if (scale < least).any():
            scale = np.maximum(scale, least)
            values = np.rint(rounded.weight() / scale[:, None]).astype(np.int8)
        scale = scale.astype(np.float32)
        if (scale * source / target > GREATEST_GAIN).any():
            raise FormatRefusedError(
                "out-of-range", f"{operation.output}: its weights are too large for a {self._bits}-bit input"
            )
        unit = (source * scale.astype(np.float64)).astype(np.float32)
        bias = np.rint(rounded.bias / unit).astype(np.int32 if self._bits == 8 else np.int64)
        name, builder = operation.output, self.builder
        wide: Dtype = "int32" if self._bits == 8 else "int64"
        return (
            builder.constant(f"{name}/weight", values, Format("int8", tuple(scale.tolist()))),
            builder.constant(f"{name}/bias", bias, Format(wide, tuple(unit.tolist()))),
        )

    def binary(self, operation: Binary) -> None:
        if operation.kind == "div":
            lengths = {self.program.sizes[name] for name in operation.inputs}
            if len(lengths) > 1:
                raise FormatRefusedError(
                    "no-kernel", f"{operation.output}: LiteRT's integer DIV does not broadcast correctly"
                )
            if self._division == "float":
                self._float_division(operation)
                return
        super().binary(operation)

    def _float_division(self, operation: Binary) -> None:
        shape = (1, self.program.sizes[operation.output])
        parts = []
        for side, name in (("dividend", operation.left), ("divisor", operation.right)):
            part = self.builder.tensor(f"{operation.output}/{side}", shape, FLOAT)
            self._add("DEQUANTIZE", "float32", (self._read(name),), part)
            parts.append(part)
        quotient = self.builder.tensor(f"{operation.output}/quotient", shape, FLOAT)
        self._add("DIV", "float32", tuple(parts), quotient)
        self._index[operation.output] = self._tensor(operation.output)
        self._add("QUANTIZE", "int16", (quotient,), self._index[operation.output])

    def map(self, operation: Map) -> None:
        """A function of each element; LiteRT has no Bernoulli's function."""
        if operation.kind == "bernoulli":
            self._bernoulli(operation)
        else:
            super().map(operation)

    def _bernoulli(self, operation: Map) -> None:
        """``exp(−y·(½ + a·tanh(b·y)))``: see `BERNOULLI`."""
        y, size, a, b = self._read(operation.input), self.program.sizes[operation.output], *BERNOULLI
        most = max(self._plan.tensors[operation.input].high, 2.0**-8)

        def made(kind: str, name: str, inputs: tuple[int, ...], low: float, high: float) -> int:
            part = self.builder.tensor(f"{operation.output}/{name}", (1, size), self._between(low, high))
            self._add(kind, self._dtype, inputs, part)
            return part

        def number(name: str, value: float) -> int:
            format_ = self._between(min(value, 0.0), max(value, 0.0))
            values = _quantized(np.array([[value]]), format_)
            return self.builder.constant(f"{operation.output}/{name}", values, format_)

        bent = made("MUL", "bent", (y, number("b", b)), 0.0, b * most)
        bent = made("TANH", "tanh", (bent,), -1.0, 1.0)
        bent = made("MUL", "part", (bent, number("a", -a)), -a, 0.0)
        slope = made("ADD", "slope", (bent, number("half", -0.5)), -1.0, 0.0)
        exponent = made("MUL", "exponent", (y, slope), -min(most, EXP_REACH), 0.0)
        self._emit("EXP", operation.output, (exponent,))

    def _between(self, low: float, high: float) -> Format:
        """How values of a range are stored that is not the plan's; ±1 as kernels of tanh ask for it."""
        if self._bits == 16:
            magnitude = max(-low, high)
            exact = 2.0**-15 if magnitude == 1.0 else magnitude / 32767
            return Format("int16", (float(np.float32(exact)),))
        if (low, high) == (-1.0, 1.0):
            return Format("int8", (2.0**-7,))
        scale = (high - low) / 255
        return Format("int8", (float(np.float32(scale)),), round(-128 - low / scale))

    def _add(self, kind: str, dtype: Dtype, inputs: tuple[int, ...], output: int) -> None:
        self.builder.add(kind, version(kind, dtype, self.builder.tensors[output].name), inputs, output)


def _formats(program: Program, plan: QuantizationPlan, bits: Bits, dtype: Dtype) -> dict[str, Format]:
    formats = {}
    for name in program.sizes:
        own = plan.tensors[name]
        scale, zero = (own.scale16, 0) if bits == 16 else (own.scale8, own.zero8)
        if not (math.isfinite(scale) and scale > 0):
            raise FormatRefusedError("out-of-range", f"{name}: its scale {scale} is not a positive number")
        formats[name] = Format(dtype, (float(np.float32(scale)),), zero)
    if bits == 16:
        moved = _moved(program)
        for operation in program.operations:
            if not isinstance(operation, Map) or operation.input in moved:
                continue
            (scale,) = formats[operation.input].scale
            if operation.kind == "exp":
                narrow = min(scale, EXP_REACH / 32768)
                formats[operation.input] = Format(dtype, (float(np.float32(narrow)),))
            if scale in COARSE_SCALES.get(operation.kind, ()):
                formats[operation.input] = Format(dtype, (float(np.float32(scale * NUDGE)),))
    return formats


def _moved(program: Program) -> set[str]:
    """Tensors whose codes other tensors share, so that their scale is not free."""
    moved = {*program.inputs, *program.outputs.values(), *program.constants}
    for operation in program.operations:
        compares = isinstance(operation, Binary) and operation.kind in ("minimum", "maximum")
        if compares or isinstance(operation, Slice | Concat):
            moved |= {operation.output, *operation.inputs}
    return moved


def _quantized(values: Array, format_: Format) -> np.ndarray[Any, Any]:
    limits = np.iinfo(format_.dtype)
    codes = np.rint(values / format_.scale[0]) + format_.zero_point
    stored: np.ndarray[Any, Any] = np.clip(codes, limits.min, limits.max).astype(format_.dtype)
    return stored


def _decimal(values: Array) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Values to the nine digits of float32: as text half as long as float64's, and as good here."""
    return np.array([float(str(np.float32(value))) for value in values], dtype=np.float64)
