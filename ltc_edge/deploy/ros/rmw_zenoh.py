"""What rmw_zenoh puts around a message: key expressions, liveliness tokens and attachments.

From its design document (ros2/rmw_zenoh, docs/design.md) and `liveliness_utils.cpp`, as of the versions for
ROS 2 Jazzy and later. Earlier ones wrote names before the attachment's numbers, and are not spoken to.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass, field

from ltc_edge.deploy.ros.interfaces import InterfaceType
from ltc_edge.deploy.ros.quality import Quality

GID_BYTES = 16
DEFAULT_DEPTH = 42
"""Of rmw_zenoh; a token leaves out what is the default."""

_ATTACHMENT = struct.Struct(f"<qqB{GID_BYTES}s")
_BEST_EFFORT, _TRANSIENT_LOCAL = "2", "1"  # rmw/types.h


@dataclass(frozen=True)
class Entity:
    """A node, or what it publishes, subscribes to or answers, as the graph of ROS 2 knows it.

    Attributes:
        domain: ROS_DOMAIN_ID.
        session: identifier of the zenoh session.
        number: of this entity within the session.
        kind: ``NN`` node, ``MP`` publisher, ``MS`` subscription, ``SS`` server of a service.
        node: the node's name.
        topic, message, quality: of all but a node; for a service its name and type.
    """

    domain: int
    session: str
    number: int
    kind: str
    node: str
    topic: str | None = None
    message: InterfaceType | None = None
    quality: Quality = field(default_factory=Quality)

    def token(self) -> str:
        """Key expression of its liveliness token."""
        head = f"@ros2_lv/{self.domain}/{self.session}/0/{self.number}/{self.kind}/%/%/{self.node}"
        if self.topic is None or self.message is None:
            return head
        mangled = self.topic.replace("/", "%")
        return f"{head}/{mangled}/{self.message.dds_name}/{self.message.type_hash}/{_quality(self.quality)}"

    def gid(self) -> bytes:
        """16 bytes that name it in attachments: any that nobody else has."""
        return hashlib.sha256(self.token().encode()).digest()[:GID_BYTES]


def key_expression(domain: int, topic: str, message: InterfaceType) -> str:
    """Where the messages of a topic go, or the calls of a service."""
    return f"{domain}/{topic.strip('/')}/{message.dds_name}/{message.type_hash}"


def attachment(sequence: int, stamp_ns: int, gid: bytes) -> bytes:
    """What travels beside a message: its number, when it was sent, and who sent it."""
    return _ATTACHMENT.pack(sequence, stamp_ns, GID_BYTES, gid)


def read_attachment(content: bytes) -> tuple[int, int, bytes] | None:
    """Number, time and sender of a message; None where somebody else's attachment is beside it."""
    if len(content) != _ATTACHMENT.size or content[16] != GID_BYTES:
        return None
    sequence, stamp_ns, _, gid = _ATTACHMENT.unpack(content)
    return sequence, stamp_ns, gid


def _quality(quality: Quality) -> str:
    """Reliability, durability, history and depth, deadline, lifespan, liveliness; empty where usual."""
    reliability = "" if quality.reliable else _BEST_EFFORT
    durability = _TRANSIENT_LOCAL if quality.latched else ""
    depth = "" if quality.depth == DEFAULT_DEPTH else str(quality.depth)
    return f"{reliability}:{durability}:,{depth}:,:,:,,"
