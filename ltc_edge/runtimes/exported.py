"""The stepper of an exported file, whatever runs it."""

from __future__ import annotations

from pathlib import Path

from ltc_edge.controller import Controller
from ltc_edge.export.formats import Format
from ltc_edge.runtimes.codes import Interface
from ltc_edge.runtimes.stepper import Stepper


def exported_stepper(
    form: Format, source: Path | bytes, controller: Controller, interface: Interface
) -> Stepper:
    """A stepper over an exported file.

    Args:
        form: its format.
        source: the file, or its content.
        controller: what it was made from.
        interface: codes of its inputs and outputs.

    Raises:
        ControllerFileError: its runtime refuses the file.
        MissingExtraError: its runtime is not installed.
    """
    if form.runtime == "onnx":
        from ltc_edge.runtimes.onnx_runtime import OnnxStepper

        return OnnxStepper(source, controller, interface)
    from ltc_edge.runtimes.litert_runtime import LiteRTStepper

    return LiteRTStepper(source, controller, interface)
