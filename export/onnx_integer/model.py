"""A controller's step in unit coordinates as ONNX, with integer weights or with integers throughout.

``onnx-int8`` stores weights in 8 bits and computes in float32. ``onnx-int16`` also rounds every tensor to
its 16-bit code, as microcontrollers and LiteRT do; its state is int16 outside too, so that it is carried
from step to step exactly. Both read raw sensor values and seconds, and give bounded actions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import onnx
from onnx import helper

from ltc_edge.controller import Controller
from ltc_edge.export.onnx_integer.interface import (
    METADATA_KEY,
    int8_interface,
    int16_interface,
    metadata_json,
)
from ltc_edge.export.onnx_integer.repeats import DOMAIN, DOMAIN_VERSION
from ltc_edge.export.onnx_integer.step import Form, StepWriter
from ltc_edge.export.plan import QuantizationPlan
from ltc_edge.version import __version__

_INT8 = Form("onnx-int8", 17, 8, integer=False)  # run by onnxruntime 1.15 and newer
_INT16 = Form("onnx-int16", 21, 10, integer=True)  # onnxruntime 1.18: int16 in QuantizeLinear


def onnx_int8(controller: Controller, plan: QuantizationPlan, metadata: Mapping[str, Any]) -> onnx.ModelProto:
    """The step with 8-bit weights and 16-bit constants, computed in float32.

    Inputs ``observation`` ``(1, I)`` and ``dt`` ``(1, 1)`` are raw values and seconds, ``state_in``
    ``(1, S)`` holds fractions of the state's bounds, all float32; so are ``action`` ``(1, M)``, raw and
    within its limits, and ``state_out`` ``(1, S)``. `int8_interface` says the same as data.

    Args:
        controller: what to write.
        plan: made for it.
        metadata: what else the file's document shall say: names, units, the period.

    Raises:
        InputError: the cell has no unit form.
    """
    return _model(_INT8, controller, plan, metadata)


def onnx_int16(
    controller: Controller, plan: QuantizationPlan, metadata: Mapping[str, Any]
) -> onnx.ModelProto:
    """The step with 8-bit weights and every tensor rounded to its 16-bit code.

    As `onnx_int8`, but ``state_in`` and ``state_out`` are int16: see `int16_interface`.

    Raises:
        InputError: the cell has no unit form.
    """
    return _model(_INT16, controller, plan, metadata)


def _model(
    form: Form, controller: Controller, plan: QuantizationPlan, metadata: Mapping[str, Any]
) -> onnx.ModelProto:
    graph, functions = StepWriter(form, controller, plan).graph()
    imports = [helper.make_opsetid("", form.opset)]
    if functions:
        imports.append(helper.make_opsetid(DOMAIN, DOMAIN_VERSION))
    model = helper.make_model(
        graph,
        functions=functions,
        opset_imports=imports,
        ir_version=form.ir_version,
        producer_name="ltc-edge",
        producer_version=__version__,
        domain=DOMAIN,
        doc_string=f"{controller.name}: one step, {form.kind}; state_out is the next step's state_in.",
    )
    interface = (int16_interface if form.integer else int8_interface)(controller, plan)
    model.metadata_props.add(key=METADATA_KEY, value=metadata_json(form.kind, interface, metadata))
    return model
