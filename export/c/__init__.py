"""Controllers in C99: sources that depend on no library, from the controller of a hub alone."""

from ltc_edge.export.c.files import c_float32

__all__ = ["c_float32"]
