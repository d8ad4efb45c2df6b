"""A program for a device that has no compiler: cross-compiled here, with all it needs inside."""

from __future__ import annotations

import platform
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from ltc_edge.errors import InputError, MissingToolError
from ltc_edge.profiling.agent.building import TIMEOUT_S, build_command
from ltc_edge.profiling.agent.processes import ProcessError, Tool
from ltc_edge.runtimes.c_compiler import find_compiler
from ltc_edge.runtimes.cross_compiler import Unit, find_cross_compiler
from ltc_edge.targets import find_target

MACHINES = {"aarch64": "cortex-a53", "armv7l": "armv7", "armv8l": "armv7", "riscv64": "riscv64"}
"""The target whose compiler makes programs for what ``uname -m`` says; what the oldest of its kind runs."""


def static_program(machine: str, files: Mapping[str, bytes], flags: Sequence[str]) -> tuple[bytes, str]:
    """The program of ``files`` for Linux on a machine, and the compiler's version.

    Args:
        machine: what ``uname -m`` says there.
        files: sources, ``.c`` and ``.h``.
        flags: how they are compiled.

    Raises:
        MissingToolError: the compiler for it is not here.
        InputError: there is none for this machine, or it fails.
    """
    if machine in MACHINES:
        compiler = find_cross_compiler(find_target(MACHINES[machine]), "gcc")
        return compiler.hosted([Unit(files, tuple(flags))]), compiler.version()
    if machine == platform.machine():
        return _of_this_machine(files, flags)
    raise InputError(
        f"the device has no C compiler, and there is none here that makes programs for {machine}; install "
        "one there (Debian: gcc)"
    )


def _of_this_machine(files: Mapping[str, bytes], flags: Sequence[str]) -> tuple[bytes, str]:
    command = list(find_compiler())
    with tempfile.TemporaryDirectory(prefix="ltc-edge-") as name:
        folder = Path(name)
        for path, content in files.items():
            (folder / path).write_bytes(content)
        try:
            sources = [folder / path for path in sorted(files)]
            called = build_command(command, [*flags, "-static"], sources, folder / "program")
            tool = Tool(called, folder)
            try:
                tool.finish(TIMEOUT_S)
            finally:
                tool.end()
        except ProcessError as error:
            raise MissingToolError(
                f"{error}; a static program needs the compiler's static C library"
            ) from None
        return (folder / "program").read_bytes(), " ".join(command)
