"""Where a signal stands in a message: ``linear.x``, ``data[2]``, or by a joint's name ``position[elbow]``."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ltc_edge.errors import InputError

_PART = re.compile(r"(?P<field>[A-Za-z][A-Za-z0-9_]*)(?:\[(?P<index>[^\[\]]+)\])?")


@dataclass(frozen=True)
class Part:
    """One field on the way to a number.

    Attributes:
        field: its name.
        index: which of several, by number; None where it is not a list.
        joint: which of several, by its entry in the message's field ``name``; None where not asked for.
    """

    field: str
    index: int | None = None
    joint: str | None = None


@dataclass(frozen=True)
class FieldPath:
    """The way from a message to one of its numbers.

    Attributes:
        said: as it was written.
        parts: the fields on the way, the outermost first.
    """

    said: str
    parts: tuple[Part, ...]


STAMP = ("header", "stamp")
"""Where a message of ROS says when it was measured, if it does."""


def parse_field(said: str) -> FieldPath:
    """Read a path such as ``pose.pose.position.x``, ``data[0]`` or ``position[left_wheel/axle]``.

    Raises:
        InputError: it is none.
    """
    parts = []
    at = 0
    while True:
        match = _PART.match(said, at)
        if match is None:
            break
        index = match["index"]
        if index is None:
            parts.append(Part(match["field"]))
        elif index.isascii() and index.isdigit():
            parts.append(Part(match["field"], index=int(index)))
        else:
            parts.append(Part(match["field"], joint=index))
        at = match.end()
        if at == len(said):
            return FieldPath(said, tuple(parts))
        if said[at] != ".":
            break
        at += 1
    raise InputError(f"{said!r} is no field of a message; write linear.x, data[0] or position[JOINT]")
