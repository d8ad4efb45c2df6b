"""What the inputs and outputs of the integer graphs hold, and the document that says so in the file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ltc_edge.controller import Controller
from ltc_edge.export.plan import QuantizationPlan
from ltc_edge.export.program import STATE_IN, Array
from ltc_edge.runtimes.codes import Codes, Interface

METADATA_KEY, FORMAT, SCHEMA_VERSION = "ltc_edge", "ltc-edge integer graph", 1


def int8_interface(controller: Controller, plan: QuantizationPlan) -> Interface:
    """The interface of ``onnx-int8``: raw float32 values; the state float32, as fractions of its bounds."""
    return _interface(controller, plan, integer_state=False)


def int16_interface(controller: Controller, plan: QuantizationPlan) -> Interface:
    """The interface of ``onnx-int16``: raw float32 values; the state in 16-bit integers."""
    return _interface(controller, plan, integer_state=True)


def metadata_json(kind: str, interface: Interface, metadata: Mapping[str, Any]) -> str:
    """The document of a file of ``kind``: its interface, and what the caller adds.

    Raises:
        ValueError: the caller's document holds a number that is not finite.
        TypeError: or something that JSON has no form for.
    """
    document = dict(metadata) | {
        "format": FORMAT,
        "schema": SCHEMA_VERSION,
        "kind": kind,
        "interface": interface.to_json(),
    }
    return json.dumps(document, sort_keys=True, allow_nan=False, separators=(",", ":"))


def _interface(controller: Controller, plan: QuantizationPlan, *, integer_state: bool) -> Interface:
    state = plan.coordinates.state
    center, span = _decimal(state.center), _decimal(state.span)
    codes = Codes("float32", center, span)
    if integer_state:
        codes = Codes("int16", center, span, plan.tensors[STATE_IN].scale16)
    return Interface(
        Codes.floating(len(controller.observations)),
        Codes.floating(1),
        codes,
        Codes.floating(len(controller.actions)),
        _decimal(controller.reset_state),
    )


def _decimal(values: Array) -> npt.NDArray[np.float64]:
    """Values to the nine digits of float32: in JSON half as long as float64's, and as good here."""
    return np.array([float(str(np.float32(value))) for value in values], dtype=np.float64)
