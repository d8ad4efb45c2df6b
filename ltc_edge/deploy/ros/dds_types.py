"""Message types of ROS 2 as cyclonedds wants them, which pass on the bytes as they are.

Discovery compares names of types, so that a reader needs the type's shape; but its own serialiser, in Python,
would take longer than the rest of a step. So the class that is made here has the shape, and hands through the
bytes that `ltc_edge.deploy.ros.cdr` reads and writes.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from ltc_edge.deploy.ros.interfaces import Field, MessageType, fields_of
from ltc_edge.errors import InputError, require

ENCAPSULATION = 4
"""Bytes before a message that say how its CDR is written."""

_OTHER_WORDS = {"char": "uint8"}
"""What a definition of ROS calls otherwise than its DDS type is called (rosidl)."""


@cache
def dds_type(message: MessageType) -> type[Any]:
    """A class of cyclonedds for a message type; ``payload`` of its objects is the message in CDR.

    Raises:
        MissingExtraError: cyclonedds is not installed.
        InputError: the type has a field that cannot be expressed.
    """
    return _passing_on(_struct(message.name))


@cache
def dds_call_type(message: MessageType) -> type[Any]:
    """Likewise for a service's request or response, with 16 bytes before it that its type does not tell of.

    rmw_cyclonedds puts the numbers of client and call there, and leaves them out of the type that it
    announces. cyclonedds checks each sample against the complete description of a type, and compares the
    minimal descriptions of two ends: so the one is made with the numbers, and the other without.

    Raises:
        MissingExtraError: cyclonedds is not installed.
        InputError: the type has a field that cannot be expressed.
    """
    from cyclonedds.idl import types
    from cyclonedds.idl._support import Endianness

    plain = _struct(message.name)
    made = _struct(message.name, {"rmw_client": types.uint64, "rmw_call": types.int64})
    for each in (plain, made):
        each.__idl__.fill_type_data()
    (information, mapping), (without, mapping_without) = made.__idl__._xt_data, plain.__idl__._xt_data
    information.minimal = without.minimal
    mapping.identifier_object_pair_minimal = mapping_without.identifier_object_pair_minimal
    made.__idl__._xt_bytedata = tuple(
        part.serialize(endianness=Endianness.Little, use_version_2=True)[ENCAPSULATION:]
        for part in (information, mapping)
    )
    return _passing_on(made)


def _passing_on(made: type[Any]) -> type[Any]:
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


def _struct(name: str, before: Mapping[str, Any] | None = None) -> type[Any]:
    """A message type in the shape that cyclonedds makes of one, with these fields ``before`` its own."""
    require("cyclonedds", "dds")
    from cyclonedds.idl import make_idl_struct

    short = name.split("/")[-1]
    fields = dict(before or {}) | {field.name: _type(field) for field in fields_of(name)}
    made: type[Any] = make_idl_struct(f"{short}_", MessageType(name).dds_name.replace("::", "."), fields)
    return made


def _type(field: Field) -> Any:
    from cyclonedds.idl import types

    if field.message is not None:
        one: Any = _struct(field.message)
    elif field.base in ("bool", "string"):
        one = bool if field.base == "bool" else str
    else:
        one = getattr(types, _OTHER_WORDS.get(field.base or "", field.base or ""), None)
    if one is None:
        raise InputError(f"a field of type {field.base} cannot be sent over DDS from here")
    if not field.listed:
        return one
    return types.sequence[one] if field.count is None else types.array[one, field.count]
