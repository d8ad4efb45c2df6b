"""Messages that are sent: one is made once, and then only its numbers are written anew."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from ltc_edge.deploy.ros.example import check_path, example
from ltc_edge.deploy.ros.fields import FieldPath
from ltc_edge.deploy.ros.interfaces import MessageType, type_store
from ltc_edge.deploy.ros.layout import Place, find_layout
from ltc_edge.errors import InputError

NS = 1_000_000_000


@dataclass(frozen=True)
class Template:
    """A message of zeros.

    Attributes:
        content: its bytes in CDR, little-endian.
        places: where the numbers stand that are written.
        stamp: first byte of its header's stamp; None where it has none.
    """

    content: bytes
    places: tuple[Place, ...]
    stamp: int | None


def make_template(message: MessageType, paths: Sequence[FieldPath]) -> Template:
    """A message with room for numbers.

    Args:
        message: its type.
        paths: the numbers; sequences are made as long as they ask for, and joints are named in their order.

    Raises:
        InputError: the type has no such field, it is no floating-point number, or two are the same.
    """
    for path in paths:
        check_path(message, path)
    if len({path.parts for path in paths}) < len(paths):
        raise InputError(f"two signals in one field of {message.name}: name other fields")
    built = example(message.name, [path.parts for path in paths])
    content = bytes(type_store().serialize_cdr(built, message.name, little_endian=True))
    layout = find_layout(message.name, content, paths)
    for path, place in zip(paths, layout.values, strict=True):
        if place.code not in "fd":
            raise InputError(f"{path.said} of {message.name} is no floating-point number")
    stamp = None if layout.stamp is None else layout.stamp[0].offset
    return Template(content, tuple(layout.values), stamp)


class Encoder:
    """Writes numbers into copies of one message.

    Args:
        message: its type.
        paths: the numbers; see `make_template`.

    Raises:
        InputError: see `make_template`.
    """

    def __init__(self, message: MessageType, paths: Sequence[FieldPath]) -> None:
        template = make_template(message, paths)
        self._content, self._stamp = bytearray(template.content), template.stamp
        self._writers = [(struct.Struct(f"<{p.code}").pack_into, p.offset) for p in template.places]

    def write(self, values: Sequence[float], stamp_ns: int) -> bytes:
        """A message with these numbers, and this time in its header if it has one."""
        content = self._content
        if self._stamp is not None:
            struct.pack_into("<iI", content, self._stamp, stamp_ns // NS, stamp_ns % NS)
        for (pack, offset), value in zip(self._writers, values, strict=True):
            pack(content, offset, value)
        return bytes(content)
