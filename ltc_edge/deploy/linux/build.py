"""The loop program of a controller for a device: built here by a cross compiler, or there by its own.

Here first: it is faster, the robot needs no compiler, and every device of a kind gets the same bytes. Either
way it is the Makefile of ``firmware_examples/linux_rt_loop`` that builds.
"""

from __future__ import annotations

import hashlib
import platform
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

from ltc_edge.errors import DeviceError, InputError, MissingToolError
from ltc_edge.export.c import CSources
from ltc_edge.profiling.agent_link import AgentLink, RemoteError
from ltc_edge.runtimes.c_compiler import find_compiler

PROGRAM = "rt_loop"
COMPILERS = {
    "aarch64": "aarch64-linux-gnu-gcc",
    "armv7l": "arm-linux-gnueabihf-gcc",
    "armv8l": "arm-linux-gnueabihf-gcc",
    "riscv64": "riscv64-linux-gnu-gcc",
}
"""What makes programs for what ``uname -m`` says."""
BUILD_S = 300
LINK_S = 30.0

Tree = Mapping[str, bytes]
"""Contents by path: a folder and a file."""


@dataclass(frozen=True)
class Program:
    """A loop program.

    Attributes:
        content: the file, static.
        built_by: the compiler, and where it is.
    """

    content: bytes
    built_by: str


def program_tree(controller: CSources, more: Tree | None = None) -> dict[str, bytes]:
    """The sources of the loop program: its own, what it shares with firmware, and the controller's.

    Args:
        controller: its C.
        more: further files of ``controller/``, by their names.
    """
    firmware = resources.files("ltc_edge.deploy") / "firmware"
    tree = {}
    for folder in ("linux_rt_loop", "common"):
        for entry in (firmware / folder).iterdir():
            if entry.is_file() and (entry.name == "Makefile" or entry.name.endswith((".c", ".h", ".mk"))):
                tree[f"{folder}/{entry.name}"] = entry.read_bytes()
    files = {**controller.files, **(more or {})}
    return tree | {f"controller/{name}": content for name, content in files.items()}


def compiler_for(machine: str) -> list[str] | None:
    """The command of a compiler here that makes programs for a machine; None where there is none."""
    if machine == platform.machine():
        try:
            return list(find_compiler())
        except MissingToolError:
            return None
    command = COMPILERS.get(machine)
    return [command] if command is not None and shutil.which(command) else None


def build_here(tree: Tree, compiler: Sequence[str], variables: Sequence[str] = ()) -> Program:
    """Build by ``make`` on this machine; what was built for one device serves all of its kind.

    Raises:
        MissingToolError: there is no make.
        InputError: it cannot be built.
    """
    if shutil.which("make") is None:
        raise MissingToolError("make, which builds the loop program, is not installed (Debian: make)")
    with _building:
        return _built_here(tuple(sorted(tree.items())), tuple(compiler), tuple(variables))


_building = threading.Lock()
"""Devices of a fleet are deployed to in threads."""


@lru_cache(maxsize=8)
def _built_here(
    tree: tuple[tuple[str, bytes], ...], compiler: tuple[str, ...], variables: tuple[str, ...]
) -> Program:
    with tempfile.TemporaryDirectory(prefix="ltc-edge-") as name:
        folder = Path(name)
        for path, content in tree:
            (folder / path).parent.mkdir(exist_ok=True)
            (folder / path).write_bytes(content)
        words = [*_make(), f"CC={' '.join(compiler)}", *variables]
        try:
            done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=BUILD_S)
        except subprocess.TimeoutExpired:
            raise InputError(f"the loop program was not built within {BUILD_S} s") from None
        if done.returncode != 0:
            raise InputError(f"the loop program cannot be built: {_telling(done.stderr)}")
        return Program((folder / f"build/{PROGRAM}").read_bytes(), f"{compiler[0]}, here")


def build_there(
    link: AgentLink, tree: Tree, compiler: Sequence[str], variables: Sequence[str] = ()
) -> Program:
    """Build by ``make`` on the device, in the agent's folder.

    Raises:
        DeviceError: it has no make, or it cannot be built.
    """
    try:
        for path, content in sorted(tree.items()):
            digest = hashlib.sha256(content).hexdigest()
            link.request({"request": "file", "name": path, "sha256": digest}, content)
        command = [*_make(), f"CC={' '.join(compiler)}", *variables]
        request = {"request": "make", "command": command, "output": f"build/{PROGRAM}"}
        _, built = link.request(request, timeout_s=BUILD_S + LINK_S)
    except RemoteError as error:
        raise DeviceError(f"{link.name}: the loop program cannot be built there: {error}") from None
    return Program(built, f"{compiler[0]}, there")


def build_for(
    link: AgentLink, inventory: Mapping[str, Any], tree: Tree, variables: Sequence[str] = ()
) -> Program:
    """The program for a device; see the top of this file.

    Raises:
        InputError: neither here nor there is a compiler for it.
    """
    machine = str(inventory["machine"])
    here = compiler_for(machine)
    if here is not None:
        return build_here(tree, here, variables)
    there = inventory.get("compiler")
    if there:
        return build_there(link, tree, list(there["command"]), variables)
    wanted = COMPILERS.get(machine, "a compiler for it")
    raise InputError(
        f"{link.name}: is a {machine[:40]} without a C compiler, and {wanted} is not here; install either"
    )


def _make() -> list[str]:
    return ["make", "-s", "-f", "linux_rt_loop/Makefile", "CONTROLLER_DIR=controller", "BUILD=build"]


def _telling(said: str) -> str:
    # The driver's own line only says that the linker failed.
    said_lines = [line for line in said.splitlines() if not line.startswith("collect2")]
    signs = ("error", "undefined reference")
    lines = (
        [line for line in said_lines if any(sign in line for sign in signs)] or said_lines or ["no message"]
    )
    return " ".join(lines[0].split())[:200]
