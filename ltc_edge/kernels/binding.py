"""The C interface of the kernels, `source/ltc_edge_kernels.h`, for ctypes; without torch."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence

from ltc_edge.errors import KernelError

SOLVERS = ("fused", "exponential", "euler", "rk4")
"""Names of the solvers, in the order of the header's numbers."""

PARAMETERS = ("gleak", "vleak", "cm", "w", "sigma", "mu", "erev")
SENSORY_PARAMETERS = ("sensory_w", "sensory_sigma", "sensory_mu", "sensory_erev")
AFFINE_PARAMETERS = ("input_w", "input_b", "output_w", "output_b")
NAMES = (*PARAMETERS, *SENSORY_PARAMETERS, *AFFINE_PARAMETERS)
"""The parameters of an LTC in the order of the header; the last four may be missing."""

BAD_TIMESPAN = "timespans must be above 0: a cell cannot be stepped back, nor over no time"
"""What is said about a timespan that is 0, negative or NaN."""

_NO_MEMORY, _BAD_TIMESPAN = -1, -2


class Circuit(ctypes.Structure):
    """``ltc_edge_circuit``."""

    _fields_ = [
        *((name, ctypes.c_int32) for name in ("inputs", "units", "outputs", "synapses", "sensory_synapses")),
        *((name, ctypes.c_int32) for name in ("solver", "unfolds", "softplus", "affine")),
        *((name, ctypes.c_void_p) for name in ("source", "target", "sensory_source", "sensory_target")),
    ]


class Parameters(ctypes.Structure):
    """``ltc_edge_parameters``."""

    _fields_ = [(name, ctypes.c_void_p) for name in NAMES]


class Sequences(ctypes.Structure):
    """``ltc_edge_sequences``."""

    _fields_ = [
        ("batch", ctypes.c_int64),
        ("length", ctypes.c_int64),
        *(
            (name, ctypes.c_void_p)
            for name in ("inputs", "timespans", "state", "forced", "gates", "recurrent")
        ),
        *((name, ctypes.c_void_p) for name in ("outputs", "last", "trace")),
        ("trace_bytes", ctypes.c_int64),
    ]


class Gradients(ctypes.Structure):
    """``ltc_edge_gradients``."""

    _fields_ = [
        (name, ctypes.c_void_p)
        for name in ("outputs", "last", "inputs", "timespans", "state", "gates", "recurrent")
    ]


def declare(library: ctypes.CDLL) -> None:
    """Tell ctypes the signatures of the LTC's functions."""
    pointer = ctypes.POINTER
    forward = [pointer(Circuit), pointer(Parameters), pointer(Sequences)]
    backward = [*forward, pointer(Gradients), pointer(Parameters)]
    for size in ("f32", "f64"):
        for name, arguments in (("forward", forward), ("backward", backward)):
            function = getattr(library, f"ltc_edge_ltc_{name}_{size}")
            function.argtypes, function.restype = [*arguments, ctypes.c_int32], ctypes.c_int32
    library.ltc_edge_ltc_trace.argtypes = [
        pointer(Circuit),
        pointer(Sequences),
        ctypes.c_int32,
        ctypes.c_int64,
    ]
    library.ltc_edge_ltc_trace.restype = ctypes.c_int64


def parameters(addresses: Sequence[int]) -> Parameters:
    """The structure of parameters, or of their gradients, at ``addresses``, in the order of `NAMES`."""
    return Parameters(*addresses)


def check(status: int) -> None:
    """Raise what a kernel's status says.

    Raises:
        ValueError: a timespan is not above zero.
        MemoryError: there is no room for a tile.
    """
    if status == _BAD_TIMESPAN:
        raise ValueError(BAD_TIMESPAN)
    if status == _NO_MEMORY:
        raise MemoryError("no memory for the kernels: use smaller batches or shorter sequences")
    if status != 0:
        raise KernelError(f"the kernels answered with status {status}")
