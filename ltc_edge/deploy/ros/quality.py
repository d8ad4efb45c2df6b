"""Quality of service: what a topic promises, in the words that zenoh and DDS have in common."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Quality:
    """Quality of service, as far as it is used here.

    Attributes:
        reliable: messages are sent again until they arrive; else they may be lost.
        depth: how many are kept.
        latched: whoever comes late gets the last ones.
    """

    reliable: bool = True
    depth: int = 10
    latched: bool = False


SENSOR_DATA = Quality(reliable=False, depth=5)
"""Of readings: takes them from reliable publishers and from others, and never waits for an old one."""

COMMAND = Quality(reliable=True, depth=1)
"""Of actions: only the last one counts."""

LATCHED = Quality(latched=True, depth=1)

PARAMETERS = Quality(depth=1000)
"""Of the services of parameters, as every node of ROS 2 has them (rmw/qos_profiles.h)."""
