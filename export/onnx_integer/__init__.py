"""ONNX files with integer weights, and with integer activations, from a controller and its plan."""

from ltc_edge.export.onnx_integer.debug import debug_outputs
from ltc_edge.export.onnx_integer.interface import METADATA_KEY, int8_interface, int16_interface
from ltc_edge.export.onnx_integer.model import onnx_int8, onnx_int16
from ltc_edge.export.onnx_integer.repeats import DOMAIN

__all__ = [
    "DOMAIN",
    "METADATA_KEY",
    "debug_outputs",
    "int8_interface",
    "int16_interface",
    "onnx_int8",
    "onnx_int16",
]
