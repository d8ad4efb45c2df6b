"""LiteRT's operators for those of a program."""

from __future__ import annotations

from ltc_edge.errors import FormatRefusedError
from ltc_edge.export.litert.graph import Dtype
from ltc_edge.runtimes.litert_operators import VERSIONS

BINARY = {
    "add": "ADD",
    "sub": "SUB",
    "mul": "MUL",
    "div": "DIV",
    "minimum": "MINIMUM",
    "maximum": "MAXIMUM",
}
MAP = {"sigmoid": "LOGISTIC", "tanh": "TANH", "exp": "EXP", "abs": "ABS", "relu": "RELU", "gelu": "GELU"}


def version(kind: str, dtype: Dtype, tensor: str) -> int:
    """Version of operator ``kind`` that has outputs of ``dtype``.

    Raises:
        FormatRefusedError: LiteRT has no such kernel; ``tensor`` names what needs it.
    """
    known = VERSIONS[kind]
    if dtype not in known:
        raise FormatRefusedError(
            "no-kernel",
            f"{tensor}: LiteRT's {kind} has no {dtype} kernel; export another format, "
            "or train with another activation",
        )
    return known[dtype]
