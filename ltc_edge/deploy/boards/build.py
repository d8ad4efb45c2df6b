"""Building a firmware project, and what its image takes of the board."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ltc_edge.deploy.boards.board import Board
from ltc_edge.deploy.boards.readme import BUILT
from ltc_edge.errors import InputError, MissingToolError

TIMEOUT_S = 300
COMMAND = ("make", "-s")
_SIGNS = ("error", "overflowed", "no room", "does not fit", "undefined reference")
_OVERFLOW = re.compile(r"region `?(\w+)'? overflowed by (\d+) bytes")


@dataclass(frozen=True)
class Taken:
    """What an image takes of its board.

    Attributes:
        flash_bytes: code, constants, and what variables begin with.
        ram_bytes: variables; the stack has what is left.
    """

    flash_bytes: int
    ram_bytes: int


def missing_to_build(board: Board) -> str | None:
    """Which program is not here that building needs, and what brings it; None where all are."""
    needs = [(board.compiler, board.compiler_package), ("make", "apt install make")]
    needs += [("cc", "apt install gcc")] if board.makes_uf2 else []
    for command, package in needs:
        if shutil.which(command) is None:
            return f"{command} is not here ({package})"
    return None


def build(board: Board, folder: Path) -> Taken:
    """Build the image of the project in ``folder``.

    Raises:
        MissingToolError: the board's compiler or make is not here.
        InputError: it does not compile, or does not fit the board.
    """
    if (missing := missing_to_build(board)) is not None:
        raise MissingToolError(f"{folder}: cannot be built: {missing}")
    done = run_tool([*COMMAND, f"-j{os.cpu_count() or 1}"], folder, TIMEOUT_S)
    if done.returncode != 0:
        raise InputError(f"{folder}: {_why(done.stderr + done.stdout, board)}")
    taken = measure(board, folder / BUILT["elf"])
    for what, needed, there in (
        ("flash", taken.flash_bytes, board.flash_bytes),
        ("RAM", taken.ram_bytes, board.ram_bytes),
    ):
        if needed > there:
            raise InputError(
                f"{folder}: the image needs {needed} bytes of {what}, and {board.title} has {there}"
            )
    return taken


def measure(board: Board, image: Path) -> Taken:
    """What an image takes, as the compiler's own tool counts it.

    Raises:
        InputError: the tool fails.
    """
    done = run_tool([board.size_tool(), str(image.absolute())], image.parent, TIMEOUT_S)
    found = re.search(r"^\s*(\d+)\s+(\d+)\s+(\d+)\s", done.stdout, re.MULTILINE)
    if done.returncode != 0 or found is None:
        raise InputError(f"{image}: {board.size_tool()} cannot say how large it is")
    text, data, zeroed = map(int, found.groups())
    return Taken(text + data, data + zeroed)


def run_tool(command: Sequence[str], folder: Path, timeout_s: float) -> subprocess.CompletedProcess[str]:
    """Run a program in a folder, in English, without a shell.

    Raises:
        MissingToolError: it is not here.
        InputError: it does not end.
    """
    # What a make above this one says to its children is not for ours.
    environment = {
        k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "BUILD")
    }
    try:
        return subprocess.run(
            command,
            cwd=folder,
            env=environment | {"LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=timeout_s,
        )
    except subprocess.TimeoutExpired:
        raise InputError(f"{command[0]} did not end within {timeout_s:g} s") from None
    except OSError as error:
        raise MissingToolError(f"{command[0]} cannot be run ({error.strerror})") from None


def _why(said: str, board: Board) -> str:
    """The line that says why a build failed, before what make says of it."""
    if (over := _OVERFLOW.search(said)) is not None:
        there = board.flash_bytes if over[1].lower() in ("flash", "text") else board.ram_bytes
        return f"the image does not fit {board.title}: {over[2]} bytes too many of {over[1]} ({there} bytes)"
    said_by_tools = [line for line in said.splitlines() if not line.startswith(("make", "collect2"))]
    telling = [line for line in said_by_tools if any(sign in line.lower() for sign in _SIGNS)]
    first = (telling or said_by_tools or said.splitlines() or ["make fails without a word"])[0]
    return f"the image cannot be built: {' '.join(first.split()).removeprefix('Error: ')[:300]}"
