"""Message types of ROS 2 as cyclonedds wants them, which pass on the bytes as they are.

Discovery compares names of types, so that a reader needs the type's shape; but its own serialiser, in Python,
would take longer than the rest of a step. So the class that is made here has the shape, and hands through the
bytes that `ltc_edge.deploy.ros.cdr` reads and writes.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from ltc_edge.deploy.ros.interfaces import Field, MessageType, fields_of
from ltc_edge.errors import InputError, require


@cache
def dds_type(message: MessageType) -> type[Any]:
    """A class of cyclonedds for a message type; ``payload`` of its objects is the message in CDR.

    Raises:
        MissingExtraError: cyclonedds is not installed.
        InputError: the type has a field that cannot be expressed.
    """
    made: type[Any] = _struct(message.name)

    def pass_on(self: Any, *_: object, **__: object) -> bytes:
        payload: bytes = self.payload
        return payload

    def take_up(cls: type[Any], /, data: bytes, *_: object, **__: object) -> Any:
        taken = object.__new__(cls)
        taken.payload = bytes(data)
        return taken

    made.serialize = pass_on
    made.deserialize = classmethod(take_up)
    return made


def dds_sample(made: type[Any], payload: bytes) -> Any:
    """An object of a class of `dds_type` with a message."""
    sample = object.__new__(made)
    sample.payload = payload
    return sample


def plain_dds_type(message: MessageType) -> type[Any]:
    """The same with cyclonedds' own serialiser, which tests compare with."""
    return _struct(message.name)


def _struct(name: str) -> type[Any]:
    require("cyclonedds", "dds")
    from cyclonedds.idl import make_idl_struct

    package, _, short = name.split("/")
    fields = {field.name: _type(field) for field in fields_of(name)}
    made: type[Any] = make_idl_struct(f"{short}_", f"{package}.msg.dds_.{short}_", fields)
    return made


def _type(field: Field) -> Any:
    from cyclonedds.idl import types

    if field.message is not None:
        one: Any = _struct(field.message)
    elif field.base in ("bool", "string"):
        one = bool if field.base == "bool" else str
    else:
        one = getattr(types, field.base or "", None)
    if one is None:
        raise InputError(f"a field of type {field.base} cannot be sent over DDS from here")
    if not field.listed:
        return one
    return types.sequence[one] if field.count is None else types.array[one, field.count]
