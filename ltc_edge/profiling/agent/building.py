"""Compiling the harness of a generated controller."""

from __future__ import annotations

from pathlib import Path

TIMEOUT_S = 300.0
"""A Raspberry Pi Zero needs a minute for a large controller."""


def build_command(command: list[str], flags: list[str], sources: list[Path], output: Path) -> list[str]:
    """What compiles ``sources``, all in one folder and run from there, to the program ``output``."""
    names = [source.name for source in sources if source.suffix == ".c"]
    return [*command, *flags, "-o", str(output), *names, "-lrt"]
