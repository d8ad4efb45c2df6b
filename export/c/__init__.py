"""Controllers in C99: sources that depend on no library, from the controller of a hub alone."""

from ltc_edge.export.c.files import c_float32, tensors_float32
from ltc_edge.export.c.int16.files import c_int16, tensors_int16
from ltc_edge.export.c.sources import CSources

__all__ = ["CSources", "c_float32", "c_int16", "tensors_float32", "tensors_int16"]
