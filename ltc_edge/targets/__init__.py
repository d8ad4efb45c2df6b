"""Targets: kinds of processors that controllers are compiled for, each described by a TOML file."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from ltc_edge.errors import InputError
from ltc_edge.targets.description import read_target
from ltc_edge.targets.target import Architecture, CycleModel, InstructionClass, Qemu, Target, Tool

__all__ = [
    "TARGETS",
    "Architecture",
    "CycleModel",
    "InstructionClass",
    "Qemu",
    "Target",
    "Tool",
    "find_target",
    "read_target",
]

TARGETS = (
    "cortex-m0plus",
    "cortex-m3",
    "cortex-m4",
    "cortex-m7",
    "riscv32",
    "armv7",
    "cortex-a53",
    "cortex-a72",
    "riscv64",
)
"""Names of the targets that the package describes, the smallest first."""


def find_target(name: str) -> Target:
    """The target of a name, or the one that a ``.toml`` file describes.

    Raises:
        InputError: there is no such target, or the file describes none.
    """
    if name in TARGETS:
        with resources.as_file(resources.files(__name__).joinpath(f"{name}.toml")) as path:
            return read_target(path)
    if name.endswith(".toml"):
        return read_target(Path(name))
    raise InputError(
        f"there is no target {name!r}; give one of {', '.join(TARGETS)}, or a .toml file that describes one"
    )
