"""Names of topics and nodes in ROS 2, and what they become on DDS.

The rules are those of "Topic and Service name mapping to DDS" (design.ros2.org): a name is taken apart at
``/``, every part is made of ASCII letters, digits and single underscores and begins with no digit. So a name
that passed can hold nothing that a key expression, a file name or a shell would read differently.
"""

from __future__ import annotations

import os
import re

from ltc_edge.errors import InputError

LONGEST_TOPIC = 248
"""Letters of a topic's name: DDS has room for 256, of which ROS takes some."""

HIGHEST_DOMAIN = 232
"""The last domain whose ports exist on every system (DDSI-RTPS, section 9.6.1.1)."""

_PART = re.compile(r"[A-Za-z_](?:_?[A-Za-z0-9])*_?")


def check_topic(name: str) -> str:
    """A topic's full name, beginning with ``/``.

    Raises:
        InputError: it is none.
    """
    if not name.startswith("/"):
        raise InputError(f"topic {name[:80]!r} must be a full name, beginning with /")
    if len(name) > LONGEST_TOPIC:
        raise InputError(f"topic {name[:80]!r}... is longer than {LONGEST_TOPIC} letters")
    for part in name[1:].split("/"):
        if not _PART.fullmatch(part):
            raise InputError(
                f"topic {name[:80]!r}: {part[:40]!r} is none of ROS's names: letters, digits and single "
                "underscores, no digit first"
            )
    return name


def check_node_name(name: str) -> str:
    """A node's name.

    Raises:
        InputError: it is none.
    """
    if not _PART.fullmatch(name) or len(name) > 64:
        raise InputError(
            f"node {name[:80]!r}: letters, digits and single underscores, no digit first, at most 64"
        )
    return name


def node_name(bundle: str) -> str:
    """A node's name made of a bundle's: ``dc-motor`` is ``dc_motor``."""
    words = re.sub(r"[^A-Za-z0-9]+", "_", bundle).strip("_")[:60].rstrip("_") or "controller"
    return words if not words[0].isdigit() else f"c{words}"


def dds_topic(name: str) -> str:
    """What a topic is called on DDS."""
    return f"rt{name}"


def domain_from_environment() -> int:
    """ROS_DOMAIN_ID, or 0.

    Raises:
        InputError: it is no domain.
    """
    said = os.environ.get("ROS_DOMAIN_ID", "").strip() or "0"
    if not (said.isascii() and said.isdigit() and int(said) <= HIGHEST_DOMAIN):
        raise InputError(f"ROS_DOMAIN_ID is {said[:40]!r}, and a domain is 0 to {HIGHEST_DOMAIN}")
    return int(said)
