"""What a module of PX4 and a controller of the Crazyflie's firmware have in common."""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import numpy as np

from ltc_edge.controller import Controller
from ltc_edge.deploy.px4.signals import Connection, Connections
from ltc_edge.deploy.rate import RatePlan
from ltc_edge.export.artifacts import Artifact
from ltc_edge.export.c.packaging.escape import markdown
from ltc_edge.export.c.text import float_literal
from ltc_edge.supervision.settings import Settings
from ltc_edge.supervision.settings_c import settings_c
from ltc_edge.version import __version__

SUPERVISOR_FILES = ("ltc_supervisor.c", "ltc_supervisor.h")
FIRMWARE = Path(__file__).resolve().parents[1] / "firmware" / "common"

SETTINGS_NAME = "{name:.24}_supervisor"
"""Settings are a symbol of the firmware: two controllers in one must not share it."""


@dataclass(frozen=True, eq=False)
class FlightSubject:
    """What flight code is made of.

    Attributes:
        controller: the bundle's.
        artifact: its format in C, written anew or trusted; see `ltc_edge.deploy.sources`.
        settings: of the supervisor.
        connections: to numbers of the flight software.
        plan: how often it is stepped: the flight software calls it no oftener.
    """

    controller: Controller
    artifact: Artifact
    settings: Settings
    connections: Connections
    plan: RatePlan


@dataclass(frozen=True)
class FlightCode:
    """A folder of flight code.

    Attributes:
        name: what the flight software calls it.
        files: content by path.
    """

    name: str
    files: dict[str, bytes]


class _Template(string.Template):
    """A text whose words stand as ``@{word}``: CMake, make, YAML and C++ use the other signs themselves."""

    delimiter = "@"


def filled(folder: str, paths: Mapping[str, str], words: Mapping[str, str]) -> dict[str, bytes]:
    """Files made of templates.

    Args:
        folder: of the templates.
        paths: template of each file, by its path.
        words: what stands in them; what people wrote is escaped for where it stands.
    """
    templates = resources.files("ltc_edge.deploy.px4").joinpath("templates", folder)
    return {
        path: _Template(templates.joinpath(template).read_text("utf-8")).substitute(words).encode()
        for path, template in paths.items()
    }


def common_words(subject: FlightSubject) -> dict[str, str]:
    """The words that both kinds of flight code need."""
    controller, connections, plan = subject.controller, subject.connections, subject.plan
    name, timing = subject.artifact.c_sources().name, controller.timing
    return {
        "version": __version__,
        "name": name,
        "upper": name.upper(),
        "settings": SETTINGS_NAME.format(name=name),
        "format": subject.artifact.form.name,
        "title": markdown(controller.name),
        "period_us": f"{round(1e6 * plan.step_s)}",
        "every": f"{plan.every}",
        "dt_range": f"kept within {1000 * timing.dt_min_s:.6g} to {1000 * timing.dt_max_s:.6g} ms",
        "observations": f"{len(connections.observations)}",
        "actions": f"{len(connections.actions)}",
        "table": "\n".join(map(_row, (*connections.observations, *connections.actions))),
    }


def supervisor_sources(subject: FlightSubject) -> dict[str, bytes]:
    """The supervisor's sources and its settings, by file name."""
    name = SETTINGS_NAME.format(name=subject.artifact.c_sources().name)
    files = {path: (FIRMWARE / path).read_bytes() for path in SUPERVISOR_FILES}
    return files | {f"{name}.c": settings_c(subject.settings, name).encode("ascii")}


def times(connection: Connection, *, back: bool = False) -> str:
    """What a number is multiplied by, or divided by, in C and C++; nothing where it is 1."""
    if connection.scale == 1.0:
        return ""
    return f" {'/' if back else '*'} {float_literal(np.float32(connection.scale))}"


def lines(texts: Sequence[str], indent: str) -> str:
    """Lines of code, each behind an indent."""
    return "\n".join(f"{indent}{text}" for text in texts)


def _row(connection: Connection) -> str:
    return (
        f"| {markdown(connection.signal)} | {markdown(connection.unit)} | `{connection.place}` | "
        f"{connection.scale:.9g} |"
    )
