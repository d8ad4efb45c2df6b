"""What a graph must keep to so that LiteRT's kernels stay within their arrays and their arithmetic.

The kernels check shapes and types when they are prepared, but not every number: some of their own checks
end the process. The rules here are those of the graphs that ltc-edge writes, and narrower than LiteRT's.
"""

from __future__ import annotations

import math

from ltc_edge.runtimes.codes import Codes
from ltc_edge.runtimes.flatbuffer_reader import require
from ltc_edge.runtimes.litert_graph import FileOperator, FileTensor, LiteRTFile
from ltc_edge.runtimes.litert_operators import VERSIONS

ELEMENTWISE = ("ADD", "SUB", "MUL", "DIV", "MINIMUM", "MAXIMUM")
UNARY = ("LOGISTIC", "TANH", "RELU", "ABS", "EXP", "GELU")

SCALES = (2.0**-40, 2.0**40)
"""Of activations: their products and quotients are normal numbers in float32."""

SUM_SCALES = 2.0**14
"""ADD and SUB take their inputs to a common scale with 15 spare bits (20 in 8-bit graphs)."""

GREATEST_PRODUCT = 0.5
"""Of the input scales of an int16 MUL over its output scale: its multiplier shifts the product left for
more, in 32 bits and without a check, so that what should saturate would wrap around."""

GAINS = (2.0**-31, 2.0**8)
"""Of FULLY_CONNECTED: what its multipliers and shifts represent."""

BIAS_BITS = {"int32": 31, "int64": 47}
ACTIVATIONS = ("float32", "int16", "int8")
LARGEST_ACTIVATION_SCALE = 2.0
"""Of what enters an int16 LOGISTIC or TANH: its kernel holds three times the scale in 16 bits."""


def check_graph(file: LiteRTFile) -> None:
    """Raise `DamagedError` unless the graph keeps to the rules."""
    tensors, count = file.tensors, len(file.tensors)
    known = {i for i, tensor in enumerate(tensors) if tensor.data is not None}
    for tensor in tensors:
        _check_format(tensor)
    for index in (*file.inputs.values(), *file.outputs.values()):
        require(index < count, "an input or output is no tensor")
    require(len(set(file.inputs.values())) == len(file.inputs), "two inputs are one tensor")
    require(not known & set(file.inputs.values()), "an input is a constant")
    known |= set(file.inputs.values())
    for operator in file.operators:
        require(all(0 <= i < count for i in (*operator.inputs, *operator.outputs)), "no such tensor")
        require(known.issuperset(operator.inputs), f"{operator.kind} reads what is not there yet")
        require(len(operator.outputs) == 1, f"{operator.kind} has {len(operator.outputs)} outputs")
        require(operator.outputs[0] not in known, f"{operator.kind} overwrites a tensor")
        _check_operator(operator, [tensors[i] for i in operator.inputs], tensors[operator.outputs[0]])
        known.add(operator.outputs[0])
    require(known.issuperset(file.outputs.values()), "an output is never computed")
    _check_interface(file)


def _check_format(tensor: FileTensor) -> None:
    name, scale = tensor.name, tensor.scale
    require(len(scale) == len(tensor.zero_point), f"{name!r} has scales without zero points")
    require(all(math.isfinite(s) and s > 0 for s in scale), f"{name!r} has a scale that is not positive")
    if tensor.dtype in ACTIVATIONS[1:] and tensor.data is None:
        require(len(scale) == 1, f"{name!r} has {len(scale)} scales")
    if tensor.dtype == "float32":
        require(not scale, f"{name!r} is not quantised but has scales")
    if tensor.dtype == "int8":
        require(all(-128 <= z <= 127 for z in tensor.zero_point), f"{name!r} has a zero point out of range")
    else:
        require(not any(tensor.zero_point), f"{name!r} has a zero point")
    if len(scale) > 1:
        require(tensor.axis == 0 and len(scale) == tensor.shape[0], f"{name!r} has scales of another axis")


def _check_operator(operator: FileOperator, inputs: list[FileTensor], output: FileTensor) -> None:
    kind = operator.kind
    require(VERSIONS[kind].get(output.dtype) == operator.version, f"{kind} is of another version")
    require(inputs and all(len(t.shape) == 2 for t in (inputs[0], output)), f"{kind} has odd shapes")
    require(inputs[0].shape[0] == output.shape[0] == 1, f"{kind} has odd shapes")
    if kind == "FULLY_CONNECTED":
        _check_dense(inputs, output)
        return
    if kind == "SLICE":
        _check_slice(inputs, output)
        return
    for tensor in (*inputs, output):
        _check_activation(tensor)
    if kind in ("QUANTIZE", "DEQUANTIZE"):
        ends = ("float32", "int16") if kind == "QUANTIZE" else ("int16", "float32")
        require(len(inputs) == 1 and (inputs[0].dtype, output.dtype) == ends, f"{kind} between odd types")
        require(inputs[0].shape == output.shape, f"{kind} has odd shapes")
        return
    require(all(t.dtype == output.dtype for t in inputs), f"{kind} mixes types")
    if kind == "CONCATENATION":
        require(sum(t.shape[1] for t in inputs) == output.shape[1], "CONCATENATION has odd shapes")
        require(all(t.scale == output.scale for t in inputs), "CONCATENATION mixes scales")
        require(all(t.zero_point == output.zero_point for t in inputs), "CONCATENATION mixes zero points")
    elif kind in UNARY:
        require(len(inputs) == 1 and inputs[0].shape == output.shape, f"{kind} has odd shapes")
        small = output.dtype != "int16" or inputs[0].scale[0] <= LARGEST_ACTIVATION_SCALE
        require(small, f"{kind} has too large a scale")
    else:
        _check_elementwise(kind, inputs, output)


def _check_elementwise(kind: str, inputs: list[FileTensor], output: FileTensor) -> None:
    require(kind in ELEMENTWISE and len(inputs) == 2, f"{kind} has {len(inputs)} inputs")
    widths = [t.shape[1] for t in inputs]
    require(max(widths) == output.shape[1] and set(widths) <= {1, max(widths)}, f"{kind} has odd shapes")
    if output.dtype == "float32":
        return
    if kind == "DIV":
        require(widths[0] == widths[1], "DIV broadcasts")
    if kind == "MUL" and output.dtype == "int16":
        product = inputs[0].scale[0] * inputs[1].scale[0]
        require(product <= GREATEST_PRODUCT * output.scale[0], f"{output.name!r} has too small a scale")
    if kind in ("MINIMUM", "MAXIMUM"):
        same = all((t.scale, t.zero_point) == (output.scale, output.zero_point) for t in inputs)
        require(same, f"{kind} mixes scales")
    if kind in ("ADD", "SUB"):
        greatest = max(t.scale[0] for t in inputs)
        require(greatest < SUM_SCALES * output.scale[0], f"{kind} has too small an output scale")


def _check_dense(inputs: list[FileTensor], output: FileTensor) -> None:
    kind = "FULLY_CONNECTED"
    require(len(inputs) == 3, f"{kind} has {len(inputs)} inputs")
    source, weight, bias = inputs
    for tensor in (source, output):
        _check_activation(tensor)
    require(source.dtype == output.dtype and weight.data is not None and bias.data is not None, kind)
    rows, columns = output.shape[1], source.shape[1]
    require(weight.shape == (rows, columns) and bias.shape == (rows,), f"{kind} has odd shapes")
    floating = source.dtype == "float32"
    wide = {"float32": "float32", "int16": "int64", "int8": "int32"}[source.dtype]
    require((weight.dtype, bias.dtype) == ("float32" if floating else "int8", wide), f"{kind} mixes types")
    if floating:
        return
    require(len(weight.scale) == len(bias.scale) == rows, f"{kind} has odd scales")
    require(not any(weight.zero_point), f"{kind} has weights with a zero point")
    for own, biased in zip(weight.scale, bias.scale, strict=True):
        unit = source.scale[0] * own
        require(GAINS[0] <= unit / output.scale[0] <= GAINS[1], f"{kind} has too odd a scale")
        require(math.isclose(unit, biased, rel_tol=1e-5), f"{kind} has a bias of another scale")
    assert bias.data is not None
    most = 2 ** BIAS_BITS[wide]
    require(-most < int(bias.data.min()) and int(bias.data.max()) < most, f"{kind} has too large a bias")


def _check_slice(inputs: list[FileTensor], output: FileTensor) -> None:
    require(len(inputs) == 3, f"SLICE has {len(inputs)} inputs")
    source, begin, size = inputs
    _check_activation(source)
    _check_activation(output)
    same = (source.dtype, source.scale, source.zero_point) == (output.dtype, output.scale, output.zero_point)
    require(same, "SLICE changes its numbers")
    for index in (begin, size):
        require(index.dtype == "int32" and index.shape == (2,) and index.data is not None, "SLICE moves")
    assert begin.data is not None
    assert size.data is not None
    start, stop = int(begin.data[1]), int(begin.data[1]) + int(size.data[1])
    require((int(begin.data[0]), int(size.data[0])) == (0, 1), "SLICE has odd rows")
    require(0 <= start < stop <= source.shape[1], "SLICE reaches beyond its input")
    require(stop - start == output.shape[1], "SLICE has odd shapes")


def _check_activation(tensor: FileTensor) -> None:
    require(tensor.dtype in ACTIVATIONS, f"{tensor.name!r} is of another type")
    require(len(tensor.shape) == 2 and tensor.shape[0] == 1, f"{tensor.name!r} has odd shapes")
    require(len(tensor.scale) == (tensor.dtype != "float32"), f"{tensor.name!r} has odd scales")
    require(all(SCALES[0] <= s <= SCALES[1] for s in tensor.scale), f"{tensor.name!r} has too odd a scale")


def _check_interface(file: LiteRTFile) -> None:
    codes = file.interface
    pairs: list[tuple[str, int, Codes]] = [
        *zip(file.inputs, file.inputs.values(), (codes.observation, codes.dt, codes.state), strict=True),
        *zip(file.outputs, file.outputs.values(), (codes.action, codes.state), strict=True),
    ]
    for name, index, own in pairs:
        tensor = file.tensors[index]
        expected = ((own.scale,), (own.zero_point,)) if own.is_integer else ((), ())
        require(
            (tensor.dtype, tensor.shape) == (own.dtype, (1, own.channels))
            and (tensor.scale, tensor.zero_point) == expected,
            f"{name} is not coded as its document says",
        )
