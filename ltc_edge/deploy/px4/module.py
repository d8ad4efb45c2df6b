"""A bundle as a module of PX4: its controller behind its supervisor, on a work queue."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

from ltc_edge.deploy.px4.fields import HAS_SAMPLE, NAN_WHERE_UNUSED
from ltc_edge.deploy.px4.flight_code import (
    FlightCode,
    FlightSubject,
    common_words,
    filled,
    lines,
    supervisor_sources,
    times,
)
from ltc_edge.deploy.px4.signals import Connection, Connections

ALWAYS = ("debug_array", "parameter_update", "vehicle_control_mode")
"""Topics that every module includes."""

LONGEST_PARAMETER = 7
"""Letters of the name in a parameter: PX4 has 16 for all of ``LTC_…_MODE``."""

LONGEST_DEBUG_NAME = 9


def px4_module(subject: FlightSubject) -> FlightCode:
    """Make a module; its connections are to topics of PX4."""
    sources, connections = subject.artifact.c_sources(), subject.connections
    module = f"ltc_{sources.name.lower()}"
    own = supervisor_sources(subject)
    inside = {f"controller/{path}": content for path, content in sources.files.items()}
    inside |= {f"supervisor/{path}": content for path, content in own.items()}
    words = common_words(subject) | {
        "module": module,
        "module_upper": module.upper(),
        "class": "Ltc" + "".join(part.capitalize() for part in sources.name.split("_")),
        "parameter": f"LTC_{sources.name.upper()[:LONGEST_PARAMETER].rstrip('_')}_MODE",
        "short_name": sources.name[:LONGEST_DEBUG_NAME],
        "debug_id": f"{zlib.crc32(module.encode()) & 0xFFFF}",
        "sources": lines(sorted(path for path in inside if path.endswith(".c")), "\t\t"),
        **_topic_words(connections),
    }
    paths = {
        "CMakeLists.txt": "CMakeLists.txt",
        "Kconfig": "Kconfig",
        "README.md": "README.md",
        "module.yaml": "module.yaml",
        f"{module}.cpp": "module.cpp",
        f"{module}.hpp": "module.hpp",
    }
    return FlightCode(module, filled("module", paths, words) | inside)


def _topic_words(connections: Connections) -> dict[str, str]:
    """What depends on the topics."""
    read, driven = _topics(connections.observations), _topics(connections.actions)
    subscribed = list(dict.fromkeys([*read, *driven]))
    included = sorted({*subscribed, *ALWAYS})
    members = [
        (f"{topic}_s _{topic}{{}};", f"uORB::Subscription _{topic}_sub{{ORB_ID({topic})}};")
        for topic in subscribed
    ]
    return {
        "topic_includes": "\n".join(f"#include <uORB/topics/{topic}.h>" for topic in included),
        "inputs": lines([line for pair in members for line in pair], "\t"),
        "outputs": lines(
            [f"uORB::Publication<{topic}_s> _{topic}_pub{{ORB_ID({topic})}};" for topic in driven], "\t"
        ),
        "output_topics": ", ".join(f"`{topic}`" for topic in driven),
        "updates": lines([f"_{topic}_sub.update(&_{topic});" for topic in subscribed], "\t"),
        "observation_values": lines(
            [f"_{each.place.group}.{each.place.member}{times(each)}," for each in connections.observations],
            "\t\t",
        ),
        "age_values": lines(
            [f"age_of(_{each.place.group}.timestamp, now)," for each in connections.observations], "\t\t"
        ),
        "external_values": lines([_external(each) for each in connections.actions], "\t\t"),
        "sampled": f"_{read[0]}.timestamp",
        "publications": "\n\n".join(_publication(topic, connections.actions) for topic in driven),
    }


def _topics(connections: Sequence[Connection]) -> list[str]:
    return list(dict.fromkeys(each.place.group for each in connections))


def _external(connection: Connection) -> str:
    """What somebody else has an actuator do, in the controller's unit; NaN before anybody has spoken."""
    topic = f"_{connection.place.group}"
    value = f"{topic}.{connection.place.member}{times(connection, back=True)}"
    return f"(({topic}.timestamp != 0) ? {value} : NAN),"


def _publication(topic: str, actions: Sequence[Connection]) -> str:
    """A message of the actions that go to one topic."""
    body = [f"{topic}_s message{{}};"]
    if topic in NAN_WHERE_UNUSED:
        body += ["", "for (float &each : message.control) {", "\teach = NAN; // stays disarmed", "}", ""]
    body += [
        f"message.{each.place.member} = _action[{index}]{times(each)};"
        for index, each in enumerate(actions)
        if each.place.group == topic
    ]
    if topic in HAS_SAMPLE:
        body.append("message.timestamp_sample = _sampled;")
    body += ["message.timestamp = now;", f"_{topic}_pub.publish(message);"]
    return "\n".join(["\t{", *(f"\t\t{line}" if line else "" for line in body), "\t}"])
