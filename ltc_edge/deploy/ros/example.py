"""Whether a message type has a field, and a message of zeros that has room for what will be written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ltc_edge.deploy.ros.fields import FieldPath, Part
from ltc_edge.deploy.ros.interfaces import MessageType, fields_of, type_store
from ltc_edge.errors import InputError

LONGEST = 4096
"""Entries of a list that is written; a longer one is a slip."""


def check_path(message: MessageType, path: FieldPath) -> None:
    """See that a type has a field that is a number.

    Raises:
        InputError: it has not.
    """
    name: str | None = message.name
    base: str | None = None
    for part in path.parts:
        fields = {} if name is None else {field.name: field for field in fields_of(name)}
        if part.field not in fields:
            known = f"it has {', '.join(fields)}" if fields else "a number has no fields"
            raise InputError(f"{message.name} has no {path.said!r}: {part.field!r}; {known}")
        if part.joint is not None and not ("name" in fields and fields["name"].listed):
            raise InputError(f"{message.name} names no joints, so {path.said!r} is none of its fields")
        field = fields[part.field]
        indexed = part.index is not None or part.joint is not None
        if field.listed != indexed:
            hint = "it is no list" if indexed else f"say which, as in {part.field}[0]"
            raise InputError(f"{message.name} has no {path.said!r}: {hint}")
        if part.index is not None and part.index >= (LONGEST if field.count is None else field.count):
            raise InputError(f"{message.name} has no {path.said!r}: so many there are not")
        name, base = field.message, field.base
    if base is None or base in ("string", "wstring"):
        raise InputError(f"{path.said} of {message.name} is no number; name one of its fields that is")


def example(name: str, paths: Sequence[tuple[Part, ...]]) -> Any:
    """A message of zeros, as rosbags has messages, whose sequences are long enough for ``paths``.

    Args:
        name: its type.
        paths: what will be written into it; joints are named in the order in which they come.
    """
    import numpy as np

    joints = list(dict.fromkeys(parts[0].joint for parts in paths if parts[0].joint is not None))
    content: dict[str, Any] = {}
    for field in fields_of(name):
        inside = [_numbered(parts, joints) for parts in paths if parts[0].field == field.name]
        if not field.listed:
            content[field.name] = _zero(field.base, field.message, [parts[1:] for parts in inside])
            continue
        by_joint = any(parts[0].joint is not None for parts in paths if parts[0].field == field.name)
        needed = (
            len(joints)
            if by_joint
            else max((parts[0].index + 1 for parts in inside if parts[0].index is not None), default=0)
        )
        count = needed if field.count is None else field.count
        if field.name == "name" and joints and field.base == "string":
            content[field.name] = list(joints)
        elif field.base is not None and field.base != "string":
            content[field.name] = np.zeros(count, dtype=field.base)
        else:
            each = [[parts[1:] for parts in inside if parts[0].index == index] for index in range(count)]
            content[field.name] = [_zero(field.base, field.message, deeper) for deeper in each]
    return type_store().types[name](**content)


def _zero(base: str | None, message: str | None, paths: Sequence[tuple[Part, ...]]) -> Any:
    if message is not None:
        return example(message, [parts for parts in paths if parts])
    return "" if base == "string" else base != "bool" and 0


def _numbered(parts: tuple[Part, ...], joints: Sequence[str]) -> tuple[Part, ...]:
    first = parts[0]
    if first.joint is None:
        return parts
    return (Part(first.field, index=joints.index(first.joint)), *parts[1:])
