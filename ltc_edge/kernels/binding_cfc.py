"""The C interface of the closed-form cell's kernels for ctypes; without torch."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence

from ltc_edge.kernels.binding import Gradients, Sequences

MODES = ("default", "no_gate", "pure")
ACTIVATIONS = ("lecun_tanh", "tanh", "relu", "silu")
"""Names in the order of the header's numbers."""

MOST_LAYERS = 32
"""Layers of neurons and of a backbone together."""


class Cell(ctypes.Structure):
    """``ltc_edge_cfc``."""

    _fields_ = [
        *((name, ctypes.c_int32) for name in ("inputs", "units", "outputs", "mode")),
        *((name, ctypes.c_int32) for name in ("backbone_layers", "backbone_units", "activation", "layers")),
        ("layer_units", ctypes.POINTER(ctypes.c_int32)),
        ("masks", ctypes.POINTER(ctypes.c_void_p)),
    ]


def declare(library: ctypes.CDLL) -> None:
    """Tell ctypes the signatures of the closed-form cell's functions."""
    pointer = ctypes.POINTER
    addresses = pointer(ctypes.c_void_p)
    forward = [pointer(Cell), addresses, pointer(Sequences)]
    backward = [*forward, pointer(Gradients), addresses]
    for size in ("f32", "f64"):
        for name, arguments in (("forward", forward), ("backward", backward)):
            function = getattr(library, f"ltc_edge_cfc_{name}_{size}")
            function.argtypes, function.restype = [*arguments, ctypes.c_int32], ctypes.c_int32
    library.ltc_edge_cfc_trace.argtypes = [
        pointer(Cell),
        pointer(Sequences),
        ctypes.c_int32,
        ctypes.c_int64,
    ]
    library.ltc_edge_cfc_trace.restype = ctypes.c_int64


def pointers(addresses: Sequence[int | None]) -> ctypes.Array[ctypes.c_void_p]:
    """An array of addresses, None for NULL."""
    return (ctypes.c_void_p * len(addresses))(*addresses)


def cell(settings: Sequence[int], layer_units: Sequence[int], masks: Sequence[int | None]) -> Cell:
    """The structure of a cell.

    Args:
        settings: inputs, units, outputs, the mode's number, the backbone's layers, their units, the
            activation's number.
        layer_units: neurons of each layer.
        masks: their addresses, layer by layer.
    """
    units = (ctypes.c_int32 * len(layer_units))(*layer_units)
    return Cell(*settings, len(layer_units), units, pointers(masks))
