"""Bringing an image onto a board with the board's usual tool."""

from __future__ import annotations

import shutil
from pathlib import Path

from ltc_edge.deploy.boards.board import Board, Call
from ltc_edge.deploy.boards.build import run_tool
from ltc_edge.deploy.boards.readme import BUILT
from ltc_edge.errors import CheckFailedError, InputError

TIMEOUT_S = 300
_LAST_LINES = 5


def flash_command(call: Call, port: str | None) -> list[str]:
    """The command line of a board's tool, run in the project's folder.

    Files are named relative to that folder, so whatever it is called, no argument is taken for an option.

    Args:
        call: the tool.
        port: of the board; its place is kept where it was not said.

    Raises:
        InputError: the port looks like an option.
    """
    if port is not None and port.startswith("-"):
        raise InputError(f"--port {port!r}: begins with a dash; give a device such as /dev/ttyACM0")
    return call.filled({**BUILT, "port": port or "PORT"})


def missing_to_flash(board: Board, call: Call, port: str | None) -> str | None:
    """Why the tool cannot be run, and how it could be; None where it can."""
    by_hand = f"; or {board.by_hand}" if board.by_hand else ""
    if shutil.which(call.command) is None:
        return f"{call.command} is not here ({call.package}){by_hand}"
    if call.names("port") and port is None:
        return f"{call.command} needs the board's port: say --port"
    return None


def flash(command: list[str], folder: Path) -> None:
    """Run a board's tool.

    Raises:
        CheckFailedError: it failed; the message has its last lines.
        InputError: it did not end.
    """
    done = run_tool(command, folder, TIMEOUT_S)
    if done.returncode != 0:
        said = [line.strip() for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        last = " / ".join(said[-_LAST_LINES:])[-600:] or "without a word"
        raise CheckFailedError(f"{command[0]} ended with code {done.returncode}: {last}")
