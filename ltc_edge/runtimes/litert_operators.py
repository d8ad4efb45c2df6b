"""LiteRT's operators that ltc-edge writes and executes: codes, versions and options.

A version says what a runtime must know. The lowest that has the types is asked for, so that runtimes as
old as tflite-runtime 2.14 accept the file.
"""

from __future__ import annotations

from collections.abc import Mapping

TYPES: Mapping[int, str] = {0: "float32", 2: "int32", 4: "int64", 7: "int16", 9: "int8"}
"""Tensor types by their number in the schema."""

CODES: Mapping[str, int] = {
    "ADD": 0,
    "CONCATENATION": 2,
    "DEQUANTIZE": 6,
    "FULLY_CONNECTED": 9,
    "LOGISTIC": 14,
    "MUL": 18,
    "RELU": 19,
    "TANH": 28,
    "SUB": 41,
    "DIV": 42,
    "EXP": 47,
    "MAXIMUM": 55,
    "MINIMUM": 57,
    "SLICE": 65,
    "ABS": 101,
    "QUANTIZE": 114,
    "GELU": 150,
}
"""By name, their number in the schema."""

VERSIONS: Mapping[str, Mapping[str, int]] = {
    "ABS": {"float32": 1, "int8": 2, "int16": 3},
    "ADD": {"float32": 1, "int8": 2, "int16": 3},
    "CONCATENATION": {"float32": 1, "int8": 2, "int16": 3},
    "DEQUANTIZE": {"float32": 3},
    "DIV": {"float32": 1, "int8": 2, "int16": 2},
    "EXP": {"float32": 1, "int8": 2, "int16": 2},
    "FULLY_CONNECTED": {"float32": 1, "int8": 4, "int16": 7},
    "GELU": {"float32": 1, "int8": 2, "int16": 2},
    "LOGISTIC": {"float32": 1, "int8": 2, "int16": 3},
    "MAXIMUM": {"float32": 1, "int8": 2, "int16": 4},
    "MINIMUM": {"float32": 1, "int8": 2, "int16": 4},
    "MUL": {"float32": 1, "int8": 2, "int16": 4},
    "QUANTIZE": {"int16": 3},
    "RELU": {"float32": 1, "int8": 2, "int16": 2},
    "SLICE": {"float32": 1, "int8": 2, "int16": 4},
    "SUB": {"float32": 1, "int8": 2, "int16": 5},
    "TANH": {"float32": 1, "int8": 2, "int16": 3},
}
"""By operator and type of its output. What is absent has no kernel, or none that is right everywhere."""

OPTION_TABLES: Mapping[str, tuple[int, str]] = {
    "ADD": (11, "AddOptions"),
    "CONCATENATION": (10, "ConcatenationOptions"),
    "DIV": (29, "DivOptions"),
    "FULLY_CONNECTED": (8, "FullyConnectedOptions"),
    "MUL": (21, "MulOptions"),
    "SUB": (28, "SubOptions"),
}
"""Operators that have options: their number in the schema's union, and their name there."""

OPTIONS: Mapping[str, Mapping[str, tuple[int, str, int]]] = {
    # By default int16 sums must have scales that are powers of two of a narrow ratio.
    "ADD": {"PotScaleInt16": (1, "B", 0)},
    "SUB": {"PotScaleInt16": (1, "B", 0)},
    "CONCATENATION": {"Axis": (0, "i", 1)},
}
"""The only options written: slot, type and value of each."""
