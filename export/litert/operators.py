"""LiteRT's operators for those of a program, and the version of each that a type needs.

A version says what a runtime must know. The lowest that has the types is asked for, so that runtimes as
old as tflite-runtime 2.14 accept the file; it also has the same rounding wherever it was compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ltc_edge.errors import InputError
from ltc_edge.export.litert.graph import Dtype

VERSIONS: Mapping[str, Mapping[Dtype, int]] = {
    "ABS": {"float32": 1, "int8": 2, "int16": 3},
    "ADD": {"float32": 1, "int8": 2, "int16": 3},
    "CONCATENATION": {"float32": 1, "int8": 2, "int16": 3},
    "DIV": {"float32": 1, "int8": 2, "int16": 2},
    "EXP": {"float32": 1, "int8": 2, "int16": 2},
    "FULLY_CONNECTED": {"float32": 1, "int8": 4, "int16": 7},
    "GELU": {"float32": 1},
    "LOGISTIC": {"float32": 1, "int8": 2, "int16": 3},
    "MAXIMUM": {"float32": 1, "int8": 2, "int16": 4},
    "MINIMUM": {"float32": 1, "int8": 2, "int16": 4},
    "MUL": {"float32": 1, "int8": 2, "int16": 4},
    "RELU": {"float32": 1, "int8": 2, "int16": 2},
    "SLICE": {"float32": 1, "int8": 2, "int16": 4},
    "SUB": {"float32": 1, "int8": 2, "int16": 5},
    "TANH": {"float32": 1, "int8": 2, "int16": 3},
}
"""By operator and type of its activations. What is absent has no kernel."""

DEQUANTIZE_VERSION = QUANTIZE_VERSION = 3

BINARY = {
    "add": "ADD",
    "sub": "SUB",
    "mul": "MUL",
    "div": "DIV",
    "minimum": "MINIMUM",
    "maximum": "MAXIMUM",
}
MAP = {"sigmoid": "LOGISTIC", "tanh": "TANH", "exp": "EXP", "abs": "ABS", "relu": "RELU", "gelu": "GELU"}

OPTIONS: Mapping[str, Mapping[str, Any]] = {
    # By default int16 sums must have scales that are powers of two of a narrow ratio; see `pot_scale_int16`.
    "ADD": {"PotScaleInt16": False},
    "SUB": {"PotScaleInt16": False},
    "CONCATENATION": {"Axis": 1},
}


def version(kind: str, dtype: Dtype, tensor: str) -> int:
    """Version of operator ``kind`` for activations of ``dtype``.

    Raises:
        InputError: LiteRT has no such kernel; ``tensor`` names what needs it.
    """
    known = VERSIONS[kind]
    if dtype not in known:
        raise InputError(
            f"{tensor}: LiteRT's {kind} has no {dtype} kernel; export another format, "
            "or train with another activation"
        )
    return known[dtype]
