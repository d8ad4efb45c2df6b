"""``relay.c`` in this process: what a node does with a message is one call, without an object made."""

from __future__ import annotations

import ctypes
import tempfile
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from ltc_edge.deploy.ros.cdr import Template
from ltc_edge.deploy.ros.layout import Layout
from ltc_edge.runtimes.c_compiler import find_compiler, shared_library

FLAGS = ("-std=c99", "-O2", "-ffp-contract=off", "-Wall", "-Wextra", "-Werror")
_FILES = ("relay.c", "relay.h")

SUPERVISED = ctypes.CFUNCTYPE(
    ctypes.c_uint32,
    ctypes.POINTER(ctypes.c_float),
    ctypes.c_uint32,
    ctypes.c_uint32,
    ctypes.c_uint32,
    ctypes.POINTER(ctypes.c_float),
)
"""What steps: dt, readings and ages; what of it is there; missed; requests; room for the actions. Status."""


class Place(ctypes.Structure):
    """``relay_place``."""

    _fields_ = (("offset", ctypes.c_uint32), ("code", ctypes.c_uint32), ("signal", ctypes.c_uint32))


class LayoutOfC(ctypes.Structure):
    """``relay_layout``."""

    _fields_ = (
        ("example", ctypes.c_char_p),
        ("size", ctypes.c_uint32),
        ("segments", ctypes.POINTER(ctypes.c_uint32)),
        ("segment_count", ctypes.c_uint32),
        ("places", ctypes.POINTER(Place)),
        ("place_count", ctypes.c_uint32),
        ("stamp", ctypes.c_uint32),
    )


class MessageOfC(ctypes.Structure):
    """``relay_message``."""

    _fields_ = (
        ("content", ctypes.c_void_p),
        ("places", ctypes.POINTER(Place)),
        ("place_count", ctypes.c_uint32),
        ("stamp", ctypes.c_uint32),
    )


class Relay(ctypes.Structure):
    """``relay``."""

    _fields_ = (
        ("supervised", ctypes.c_void_p),
        ("observations", ctypes.c_uint32),
        ("sources", ctypes.c_uint32),
        ("layouts", ctypes.POINTER(LayoutOfC)),
        ("source_of", ctypes.POINTER(ctypes.c_uint32)),
        ("measured_ns", ctypes.POINTER(ctypes.c_int64)),
        ("given", ctypes.POINTER(ctypes.c_float)),
        ("action", ctypes.POINTER(ctypes.c_float)),
        ("proposal", ctypes.c_void_p),
        ("act", MessageOfC),
        ("propose", MessageOfC),
        ("last_ns", ctypes.c_int64),
        ("came_ns", ctypes.c_int64),
        ("period_ns", ctypes.c_int64),
        ("frequent_ns", ctypes.c_int64),
        ("skew_ns", ctypes.c_int64),
        ("period_s", ctypes.c_float),
        ("by_stamp", ctypes.c_uint32),
    )


NEVER = -(1 << 63)
"""``RELAY_NEVER``."""

UNKNOWN, DUE = 0, 2
"""``RELAY_UNKNOWN``, ``RELAY_DUE``."""


def known_layout(layout: Layout, payload: bytes, signals: Sequence[int]) -> LayoutOfC:
    """A layout for C: the bytes that tell a message of it, and where its numbers stand.

    Args:
        layout: what a walk over ``payload`` found.
        payload: the message.
        signals: for each of the layout's values, which observation it is.
    """
    segments = [(0, 2), *((at, at + 4) for at, _ in layout.lengths), *layout.texts]
    flat = [bound for segment in segments for bound in segment]
    places = [
        Place(place.offset, ord(place.code), signal)
        for place, signal in zip(layout.values, signals, strict=True)
    ]
    return LayoutOfC(
        payload,
        len(payload),
        (ctypes.c_uint32 * len(flat))(*flat),
        len(segments),
        (Place * len(places))(*places),
        len(places),
        0 if layout.stamp is None else layout.stamp[0].offset,
    )


def outgoing(template: Template) -> tuple[MessageOfC, ctypes.Array[ctypes.c_uint8]]:
    """A message for C to write into, and its bytes."""
    content = (ctypes.c_uint8 * len(template.content)).from_buffer_copy(template.content)
    places = [Place(place.offset, ord(place.code), index) for index, place in enumerate(template.places)]
    array = (Place * len(places))(*places)
    made = MessageOfC(ctypes.addressof(content), array, len(places), template.stamp or 0)
    return made, content


@cache
def relay_functions() -> tuple[Callable[..., int], Callable[..., int]]:
    """``relay_hear`` and ``relay_step``, compiled for this machine.

    Raises:
        MissingToolError: there is no C compiler.
        InputError: it fails.
    """
    here = Path(__file__).parent
    with tempfile.TemporaryDirectory(prefix="ltc-edge-") as folder:
        files = {name: (here / name).read_bytes() for name in _FILES}
        library = ctypes.CDLL(str(shared_library(files, Path(folder), find_compiler(), FLAGS)))
    hear, step = library.relay_hear, library.relay_step
    hear.argtypes = (ctypes.c_void_p, ctypes.c_uint32, ctypes.c_char_p, ctypes.c_uint32, ctypes.c_int64)
    step.argtypes = (ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint32, ctypes.c_uint32)
    hear.restype = step.restype = ctypes.c_uint32
    made: tuple[Any, Any] = hear, step
    return made
