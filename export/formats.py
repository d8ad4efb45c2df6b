"""The formats a controller can be exported to: one table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Runtime = Literal["onnx", "litert", "c"]
Arithmetic = Literal["float32", "integer"]


@dataclass(frozen=True)
class Format:
    """One format.

    Attributes:
        name: as on the command line.
        file: its file in a bundle; in C its folder.
        runtime: what runs it.
        arithmetic: whether it needs the quantisation plan.
        summary: one line for help and the model card.
        needs_task: whether only the task itself can show that the file is good enough.
    """

    name: str
    file: str
    runtime: Runtime
    arithmetic: Arithmetic
    summary: str
    needs_task: bool = False


HUB = Format("onnx", "controller.onnx", "onnx", "float32", "the hub: ONNX, float32, raw sensor values in")

FORMATS: dict[str, Format] = {
    form.name: form
    for form in (
        HUB,
        Format(
            "onnx-int8", "controller-int8.onnx", "onnx", "integer", "ONNX, 8-bit weights, float32 arithmetic"
        ),
        Format(
            "onnx-int16",
            "controller-int16.onnx",
            "onnx",
            "integer",
            "ONNX, 8-bit weights, float32 arithmetic on a 16-bit grid",
        ),
        Format("tflite", "controller.tflite", "litert", "float32", "LiteRT/TFLite, float32"),
        Format(
            "tflite-int16x8",
            "controller-int16x8.tflite",
            "litert",
            "integer",
            "LiteRT, 8-bit weights, 16-bit activations, integers only",
        ),
        Format(
            "tflite-int16x8-legacy",
            "controller-int16x8-legacy.tflite",
            "litert",
            "integer",
            "the same for tflite-runtime 2.14, which divides in float32",
        ),
        Format(
            "tflite-int8",
            "controller-int8.tflite",
            "litert",
            "integer",
            "LiteRT, 8 bits throughout; seldom good enough for an LTC",
            needs_task=True,
        ),
        Format("c-float32", "c-float32", "c", "float32", "C99 without a library, float32"),
        Format("c-int16", "c-int16", "c", "integer", "C99 without a library, 16-bit integers"),
    )
}
