"""From a controller to the vector operations of its step."""

from ltc_edge.export.lowering.step import lower_floating, lower_unit

__all__ = ["lower_floating", "lower_unit"]
