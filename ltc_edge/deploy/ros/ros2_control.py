"""A bundle as a package of ROS 2: its controller behind its supervisor, as a plugin of ros2_control."""

from __future__ import annotations

import string
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from xml.sax.saxutils import escape

from ltc_edge.controller import Controller
from ltc_edge.export.artifacts import Artifact
from ltc_edge.export.c.packaging.escape import c_string, markdown, one_line, yaml_string
from ltc_edge.supervision.settings import Settings
from ltc_edge.supervision.settings_c import NAME, settings_c
from ltc_edge.version import __version__

SUFFIXES = {"position": "position", "velocity": "velocity", "effort": "effort", "torque": "effort"}
"""The end of a signal's name → the interface that it is of a joint."""

_FIRMWARE = Path(__file__).resolve().parents[1] / "firmware" / "common"
_SUPERVISOR = ("ltc_supervisor.h", "ltc_supervisor.c")


class _Template(string.Template):
    """A text whose words stand as ``@{word}``: CMake, YAML and C++ use the other signs themselves."""

    delimiter = "@"


@dataclass(frozen=True)
class ControlPackage:
    """A package of ROS 2.

    Attributes:
        name: the package's.
        plugin: name of the class that controller_manager loads.
        state_interfaces, command_interfaces: the interfaces of each observation and action, unless a
            parameter says otherwise.
        files: content by path.
    """

    name: str
    plugin: str
    state_interfaces: tuple[str, ...]
    command_interfaces: tuple[str, ...]
    files: dict[str, bytes]


def control_package(controller: Controller, artifact: Artifact, settings: Settings) -> ControlPackage:
    """Make a package.

    Args:
        controller: the bundle's.
        artifact: its format in C, written anew or trusted; see `ltc_edge.deploy.sources`.
        settings: of the supervisor.
    """
    sources = artifact.c_sources()
    name = f"{sources.name.lower()}_controller"
    state = default_interfaces([signal.name for signal in controller.observations], "position")
    command = default_interfaces([signal.name for signal in controller.actions], "effort")
    words = _words(controller, artifact, name, state, command)
    paths = {
        "package.xml": "package.xml",
        "CMakeLists.txt": "CMakeLists.txt",
        "plugin.xml": "plugin.xml",
        "README.md": "README.md",
        f"config/{name}.yaml": "config.yaml",
        f"include/{name}/description.hpp": "description.hpp",
        f"include/{name}/core.hpp": "core.hpp",
        f"include/{name}/plugin.hpp": "plugin.hpp",
        "src/core.cpp": "core.cpp",
        "src/plugin.cpp": "plugin.cpp",
        "test/test_core.cpp": "test_core.cpp",
    }
    templates = resources.files("ltc_edge.deploy.ros").joinpath("templates")
    files = {
        path: _Template(templates.joinpath(template).read_text("utf-8")).substitute(words).encode()
        for path, template in paths.items()
    }
    files |= {f"src/controller/{path}": content for path, content in sources.files.items()}
    files |= {f"src/supervisor/{path}": (_FIRMWARE / path).read_bytes() for path in _SUPERVISOR}
    files[f"src/supervisor/{NAME}.c"] = settings_c(settings).encode()
    return ControlPackage(name, f"{name}/LtcController", state, command, files)


def default_interfaces(signals: Sequence[str], usual: str) -> tuple[str, ...]:
    """The interfaces that names tell: ``hip_velocity`` is ``hip/velocity``, ``hip`` is of the usual kind."""
    found = tuple(_interface(signal, usual) for signal in signals)
    if len(set(found)) < len(found):
        found = tuple(f"{_joint(signal)}/{usual}" for signal in signals)
    if len(set(found)) < len(found):
        found = tuple(f"signal_{index}/{usual}" for index in range(len(signals)))
    return found


def _interface(signal: str, usual: str) -> str:
    for separator in ("_", "/", "."):
        joint, _, end = signal.rpartition(separator)
        if joint and end in SUFFIXES:
            return f"{_joint(joint)}/{SUFFIXES[end]}"
    return f"{_joint(signal)}/{usual}"


def _joint(name: str) -> str:
    """A name as ROS has them: its letters and digits, other signs as underscores."""
    kept = "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in name)
    return kept.strip("_")[:60] or "signal"


def _words(
    controller: Controller, artifact: Artifact, package: str, state: Sequence[str], command: Sequence[str]
) -> dict[str, str]:
    """What stands in the templates; what people wrote is escaped for each file that it stands in."""
    timing = controller.timing
    sources = artifact.c_sources()
    compiled = sorted(name for name in sources.files if name.endswith(".c"))
    return {
        "version": __version__,
        "package": package,
        "guard": package.upper(),
        "name": sources.name,
        "upper": sources.name.upper(),
        "settings": NAME,
        "format": artifact.form.name,
        "title_xml": _xml(controller.name),
        "title_markdown": markdown(controller.name),
        "controller_sources": "\n".join(f"  src/controller/{name}" for name in compiled),
        "state_literals": _lines(state, c_string),
        "command_literals": _lines(command, c_string),
        "state_interfaces": _yaml_list(state),
        "command_interfaces": _yaml_list(command),
        "observations_comment": _comment([signal.name for signal in controller.observations]),
        "actions_comment": _comment([signal.name for signal in controller.actions]),
        "update_rate": f"{max(1, round(1.0 / timing.period_s))}",
        "period_s": f"{timing.period_s:g}",
        "dt_min_s": f"{timing.dt_min_s:g}",
        "dt_max_s": f"{timing.dt_max_s:g}",
        "table": _table(controller, state, command),
    }


def _table(controller: Controller, state: Sequence[str], command: Sequence[str]) -> str:
    """Signals and interfaces as a table of Markdown."""
    rows = ["| signal | unit | interface |", "|---|---|---|"]
    signals = [(s.name, s.unit) for s in controller.observations] + [
        (s.name, s.unit) for s in controller.actions
    ]
    for (name, unit), interface in zip(signals, [*state, *command], strict=True):
        rows.append(f"| {markdown(name)} | {markdown(unit)} | `{interface}` |")
    return "\n".join(rows)


def _lines(texts: Sequence[str], literal: Callable[[str], str]) -> str:
    return ",\n".join(f"  {literal(text)}" for text in texts)


def _yaml_list(texts: Sequence[str]) -> str:
    return f"[{', '.join(yaml_string(text) for text in texts)}]"


def _comment(names: Sequence[str]) -> str:
    return one_line(", ".join(one_line(name) for name in names))


def _xml(text: str) -> str:
    """Text of an element, without what XML 1.0 has no sign for."""
    return escape("".join(letter if letter.isprintable() else "?" for letter in one_line(text)))
