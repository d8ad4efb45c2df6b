"""A bundle as an out-of-tree controller of the Crazyflie's firmware, whose PID controller stays beside."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from ltc_edge.deploy.px4.flight_code import (
    FlightCode,
    FlightSubject,
    common_words,
    filled,
    lines,
    supervisor_sources,
    times,
)
from ltc_edge.deploy.px4.signals import Connection
from ltc_edge.errors import InputError

STABILISER_HZ = 1000.0
"""How often the firmware calls a controller."""

LEGACY = "controlModeLegacy"
"""The mode of the firmware's PID controller."""

KEPT = "What is not driven is left as the PID controller has it."

MODES = {
    LEGACY: frozenset({"roll", "pitch", "yaw", "thrust"}),
    "controlModeForceTorque": frozenset({"thrustSi", "torqueX", "torqueY", "torqueZ"}),
    "controlModeForce": frozenset({"normalizedForces"}),
}
"""Which numbers the power distribution takes together."""

WHOLE = frozenset({"roll", "pitch", "yaw"})
"""Those of them that are 16-bit integers."""

MOST_LOGGED = 8

_ROUNDED = """/* To the nearest 16-bit integer; the supervisor lets no NaN by. */
static int16_t rounded(float value)
{
  return (int16_t)lrintf(fminf(fmaxf(value, -32768.0f), 32767.0f));
}
"""


def crazyflie_app(subject: FlightSubject) -> FlightCode:
    """Make an application of the firmware.

    Args:
        subject: its connections are to what the stabiliser hands over and takes, and its plan is of a loop of
            `STABILISER_HZ`.

    Raises:
        InputError: the actions are of several of the power distribution's modes.
    """
    sources, connections = subject.artifact.c_sources(), subject.connections
    flat = {**sources.files, **supervisor_sources(subject)}
    mode = _mode(connections.actions)
    begin = [] if mode == LEGACY else ["memset(control, 0, sizeof(*control));"]
    begin.append(f"control->controlMode = {mode};")
    objects = sorted(path.removesuffix(".c") + ".o" for path in flat if path.endswith(".c"))
    words = common_words(subject) | {
        "objects": "\n".join(f"obj-y += {path}" for path in objects),
        "observation_values": lines(
            [f"{_read(each)}{times(each)}," for each in connections.observations], "      "
        ),
        "age_values": lines(
            [
                "told_s," if each.place.group == "setpoint" else "sensed_s,"
                for each in connections.observations
            ],
            "      ",
        ),
        "undriven": KEPT if mode == LEGACY else "What is not driven is zero.",
        "control_values": lines([*begin, *itertools.starmap(_drive, enumerate(connections.actions))], "  "),
        "helpers": _ROUNDED if any(each.place.field in WHOLE for each in connections.actions) else "",
        "log_values": "\n".join(
            f"LOG_ADD(LOG_FLOAT, prop{index}, &room[(4U * ACTIONS) + {index}U])"
            for index in range(min(len(connections.actions), MOST_LOGGED))
        ),
    }
    paths = {
        "Makefile": "Makefile",
        "Kbuild": "Kbuild",
        "app-config": "app-config",
        "README.md": "README.md",
        "src/Kbuild": "src_Kbuild",
        "src/out_of_tree_controller.c": "out_of_tree_controller.c",
    }
    files = filled("crazyflie", paths, words) | {f"src/{path}": content for path, content in flat.items()}
    return FlightCode("out_of_tree_controller", files)


def _mode(actions: Sequence[Connection]) -> str:
    driven = {each.place.field for each in actions}
    for mode, fields in MODES.items():
        if driven <= fields:
            return mode
    together = "; ".join(", ".join(sorted(fields)) for fields in MODES.values())
    raise InputError(
        f"actions drive {', '.join(sorted(driven))}, which the Crazyflie does not take together; take them "
        f"from one of: {together}"
    )


def _read(connection: Connection) -> str:
    return f"{connection.place.group}->{connection.place.member}"


def _drive(index: int, connection: Connection) -> str:
    value = f"action[{index}]{times(connection)}"
    if connection.place.field in WHOLE:
        value = f"rounded({value})"
    return f"control->{connection.place.member} = {value};"
