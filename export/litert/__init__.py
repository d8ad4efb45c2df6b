"""LiteRT (TensorFlow Lite) files, written with LiteRT's own schema: no TensorFlow is needed."""

from ltc_edge.export.litert.floating import floating_model
from ltc_edge.export.litert.integer import integer_interface, integer_model

__all__ = ["floating_model", "integer_interface", "integer_model"]
