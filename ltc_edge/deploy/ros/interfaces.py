"""ROS 2 types of messages and services: their names in ROS and in DDS, definitions, and hashes of these.

Definitions and hashes are those of the package rosbags, for ROS 2 Jazzy; the hash is RIHS01 of REP-2016, the
SHA-256 of a type's description, by which rmw_zenoh tells types of one name apart.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from ltc_edge.deploy.ros.service_definitions import service_definitions
from ltc_edge.errors import InputError, require

if TYPE_CHECKING:
    from rosbags.typesys.store import Typestore

USUAL_PACKAGES = ("std_msgs", "sensor_msgs", "geometry_msgs", "nav_msgs", "trajectory_msgs", "control_msgs")
"""Where a type is looked for whose package is not said."""

_NAME = re.compile(r"(?:(?P<package>[a-z][a-z0-9_]*)/(?:msg/)?)?(?P<type>[A-Z][A-Za-z0-9]*)")


@dataclass(frozen=True)
class InterfaceType:
    """A type of ROS 2, of messages or of a service.

    Attributes:
        name: as ROS 2 writes it in full, such as ``sensor_msgs/msg/JointState``.
    """

    name: str

    @property
    def dds_name(self) -> str:
        """Its name in key expressions of rmw_zenoh, and a message's on DDS."""
        package, kind, short = self.name.split("/")
        return f"{package}::{kind}::dds_::{short}_"

    @property
    def type_hash(self) -> str:
        """``RIHS01_`` and 64 hexadecimal digits."""
        return _hashing_store().hash_rihs01(self.name)


@dataclass(frozen=True)
class MessageType(InterfaceType):
    """A message type."""


@dataclass(frozen=True)
class ServiceType(InterfaceType):
    """A service type, such as ``rcl_interfaces/srv/ListParameters``."""

    @property
    def request(self) -> MessageType:
        """What is asked."""
        return MessageType(f"{self.name}_Request")

    @property
    def response(self) -> MessageType:
        """What is answered."""
        return MessageType(f"{self.name}_Response")


@dataclass(frozen=True)
class Field:
    """One field of a message type.

    Attributes:
        name: its name.
        base: what a number or a text is, such as ``float64`` or ``string``; None for a message.
        message: full name of the message type that it is; None for a number or a text.
        count: how many there are side by side; None for a sequence of any length, 1 where it is no list.
        listed: whether it is an array or a sequence.
    """

    name: str
    base: str | None
    message: str | None
    count: int | None
    listed: bool


@cache
def fields_of(name: str) -> tuple[Field, ...]:
    """The fields of a message type, in their order.

    Args:
        name: the type's full name, which `find_type` found.
    """
    return tuple(_field(field, kind) for field, kind in type_store().fielddefs[name][1])


def _field(name: str, kind: Any) -> Field:
    from rosbags.interfaces import Nodetype

    node, detail = kind
    listed = node in (Nodetype.ARRAY, Nodetype.SEQUENCE)
    count: int | None = 1
    if listed:
        (inner, inner_detail), size = detail
        count = size if node == Nodetype.ARRAY else None
        node, detail = inner, inner_detail
    is_message = node == Nodetype.NAME
    return Field(name, None if is_message else detail[0], detail if is_message else None, count, listed)


@cache
def type_store() -> Typestore:
    """Definitions of the message types of ROS 2 Jazzy, those of parameters' services among them.

    Raises:
        MissingExtraError: rosbags is not installed.
    """
    require("rosbags.typesys", "ros")
    from rosbags.typesys import Stores, get_typestore

    store = get_typestore(Stores.ROS2_JAZZY)
    store.register(service_definitions())
    return store


@cache
def _hashing_store() -> Typestore:
    """The definitions as ROS 2 hashes them: to it, ``char`` of a definition is another word for uint8."""
    from rosbags.typesys.store import Typestore

    store = Typestore()
    store.fielddefs = {
        name: (constants, [(field, _without_char(kind)) for field, kind in fields])
        for name, (constants, fields) in type_store().fielddefs.items()
    }
    return store


def _without_char(kind: Any) -> Any:
    if isinstance(kind, tuple):
        return tuple(_without_char(part) for part in kind)
    return "uint8" if kind == "char" else kind


def find_type(said: str) -> MessageType:
    """The message type of a name such as ``JointState``, ``sensor_msgs/JointState`` or the one in full.

    Raises:
        InputError: there is none.
        MissingExtraError: rosbags is not installed.
    """
    match = _NAME.fullmatch(said)
    if match is None:
        raise InputError(f"{said!r} is no message type; write one as sensor_msgs/msg/JointState")
    packages = USUAL_PACKAGES if match["package"] is None else (match["package"],)
    for package in packages:
        name = f"{package}/msg/{match['type']}"
        if name in type_store().fielddefs:
            return MessageType(name)
    raise InputError(f"{said}: no such message type in ROS 2 Jazzy; write one as sensor_msgs/msg/JointState")
