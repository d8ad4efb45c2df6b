"""The float32 file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ltc_edge.export.litert.flatbuffer import flatbuffer
from ltc_edge.export.litert.fusion import fused
from ltc_edge.export.litert.graph import FLOAT, Format
from ltc_edge.export.litert.lowering import Lowering
from ltc_edge.export.program import Array, Dense, Program
from ltc_edge.runtimes.codes import Interface

OLDEST_RUNTIME = "2.14.0"
"""Oldest that the files are tested with."""


def floating_model(
    program: Program, interface: Interface, document: Mapping[str, Any] | None = None
) -> bytes:
    """A float32 ``.tflite`` file of one step.

    Args:
        program: from ``lower_floating``.
        interface: ``Interface.floating(controller)``.
        document: names, units, period and whatever else the file is to say about itself, as JSON.

    Raises:
        MissingExtraError: ai-edge-litert is not installed.
    """
    graph = _Floating(fused(program), "float32").graph(interface, document or {}, OLDEST_RUNTIME)
    return flatbuffer(graph)


class _Floating(Lowering):
    def format(self, name: str) -> Format:  # noqa: ARG002
        return FLOAT

    def stored(self, name: str, values: Array) -> np.ndarray[Any, Any]:  # noqa: ARG002
        return values.astype(np.float32)

    def weights(self, operation: Dense) -> tuple[int, int]:
        builder, name = self.builder, operation.output
        return (
            builder.constant(f"{name}/weight", operation.weight.astype(np.float32), FLOAT),
            builder.constant(f"{name}/bias", operation.bias.astype(np.float32), FLOAT),
        )
