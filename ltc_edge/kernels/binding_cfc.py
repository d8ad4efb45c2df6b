"""The C interface of the closed-form cell's kernels for ctypes; without torch."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import NamedTuple

from ltc_edge.kernels.binding import Gradients, Sequences

MODES = ("default", "no_gate", "pure")
ACTIVATIONS = ("lecun_tanh", "tanh", "relu", "silu")
"""Names in the order of the header's numbers."""


class Settings(NamedTuple):
    """The numbers of ``ltc_edge_cfc``; mode and activation by their place in `MODES` and `ACTIVATIONS`."""

    inputs: int
    units: int
    outputs: int
    mode: int
    backbone_layers: int
    backbone_units: int
    activation: int
    layer_units: tuple[int, ...]


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
    ]
    library.ltc_edge_cfc_trace.restype = ctypes.c_int64


def pointers(addresses: Sequence[int | None]) -> ctypes.Array[ctypes.c_void_p]:
    """An array of addresses, None for NULL."""
    return (ctypes.c_void_p * len(addresses))(*addresses)


def cell(settings: Settings, masks: Sequence[int | None]) -> Cell:
    """The structure of a cell whose layers have masks at these addresses, None for no mask."""
    *numbers, layer_units = settings
    units = (ctypes.c_int32 * len(layer_units))(*layer_units)
    return Cell(*numbers, len(layer_units), units, pointers(masks))
