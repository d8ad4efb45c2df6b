"""How ROS 2 knows over DDS which node's a reader or writer is: a latched topic with all of a participant's.

Without it ``ros2 node list`` shows no node, and ``ros2 param`` finds none (ros2/rmw_dds_common).
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from ltc_edge.deploy.ros.interfaces import MessageType
from ltc_edge.deploy.ros.whole_messages import made, written

TOPIC = "ros_discovery_info"
"""Its name on DDS, without the prefix that topics of nodes have."""

ENTITIES = MessageType("rmw_dds_common/msg/ParticipantEntitiesInfo")


def entities_message(
    participant: uuid.UUID, node: str, readers: Sequence[uuid.UUID], writers: Sequence[uuid.UUID]
) -> bytes:
    """A participant that is one node, and the node's readers and writers."""
    info = made(
        "rmw_dds_common/msg/NodeEntitiesInfo",
        node_namespace="/",
        node_name=node,
        reader_gid_seq=[_gid(reader) for reader in readers],
        writer_gid_seq=[_gid(writer) for writer in writers],
    )
    return written(ENTITIES, made(ENTITIES.name, gid=_gid(participant), node_entities_info_seq=[info]))


def _gid(guid: uuid.UUID) -> object:
    import numpy as np

    return made("rmw_dds_common/msg/Gid", data=np.frombuffer(guid.bytes, np.uint8))
