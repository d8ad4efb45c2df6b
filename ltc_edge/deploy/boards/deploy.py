"""From a bundle to a board: the project written, built, flashed, and the board asked what it runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from ltc_edge.deploy.boards.acceptance import Acceptance, accept
from ltc_edge.deploy.boards.board import Board, Call
from ltc_edge.deploy.boards.build import COMMAND, Taken, build, missing_to_build
from ltc_edge.deploy.boards.flash import flash, flash_command, missing_to_flash
from ltc_edge.deploy.boards.project import RECORD, Project, image_hash, is_users
from ltc_edge.deploy.boards.project_folder import read_project, write_project
from ltc_edge.deploy.boards.readme import BUILT
from ltc_edge.errors import InputError, MissingToolError
from ltc_edge.runtimes.serial_lines import Line, PortLine, ProcessLine

OnShare = Callable[[str, float], None]

EMULATED_TIMEOUT_S = 10.0
"""Of a request to an emulator, which a busy machine may hold up."""


@dataclass(frozen=True)
class Wishes:
    """What is to be done with a project.

    Attributes:
        folder: where the project is.
        port: of the board's serial line; None where there is none.
        emulate: whether the board's emulator takes the board's place.
        flash: whether the board is flashed.
        drill: whether the loop is armed and loses its readings; actuators move.
        verify_only: whether nothing is written, built or flashed, and the board is asked what it runs.
        force: whether what somebody changed in the project gives way.
    """

    folder: Path
    port: str | None = None
    emulate: bool = False
    flash: bool = True
    drill: bool = False
    verify_only: bool = False
    force: bool = False


@dataclass
class Outcome:
    """What was done; a status says ``done``, or why not.

    Attributes:
        image: hash of the sources that the image says it is made of.
        build, flash, check: statuses.
        commands: what was run or would be, one list of arguments each, in the project's folder.
        taken: what the image takes.
        acceptance: what the board showed.
    """

    image: str
    build: str = "not asked for"
    flash: str = "not asked for"
    check: str = "not asked for"
    commands: list[list[str]] = field(default_factory=list)
    taken: Taken | None = None
    acceptance: Acceptance | None = None


def check_wishes(board: Board, wishes: Wishes) -> None:
    """Refuse what a board cannot do.

    Raises:
        InputError: there is such a wish.
    """
    if wishes.emulate and board.emulator is None:
        raise InputError(f"{board.name}: has no emulator here; leave out --emulate")
    if wishes.emulate and wishes.port is not None:
        raise InputError(f"{board.name}: is emulated, so it has no --port")
    if wishes.emulate and not wishes.flash:
        raise InputError("--emulate runs the image, so there is no --no-flash")
    if board.is_emulated and wishes.port is not None and wishes.flash and not wishes.verify_only:
        raise InputError(f"{board.name}: nothing flashes it at a --port; say --verify-only or --no-flash too")
    if wishes.verify_only and wishes.port is None:
        raise InputError("--verify-only asks a board: say its --port")
    if wishes.drill and not wishes.emulate and wishes.port is None:
        raise InputError("--drill is over the serial line: say its --port")


def plan(project: Project, wishes: Wishes) -> Outcome:
    """What `deploy` would do.

    Raises:
        InputError: the board cannot do it.
    """
    board = project.board
    check_wishes(board, wishes)
    outcome = Outcome(_image(project, wishes))
    if not wishes.verify_only:
        outcome.commands.append([*COMMAND])
        outcome.build = missing_to_build(board) or "planned"
        outcome.flash = _flash_plan(board, wishes, outcome)
    outcome.check = "planned" if _has_line(wishes) else "not asked: say the board's --port"
    return outcome


def deploy(project: Project, wishes: Wishes, on_share: OnShare = lambda _, __: None) -> Outcome:
    """Do it.

    Raises:
        MissingToolError: a program is not here that a board at ``port``, or the emulator, needs.
        OutputError: the folder is somebody else's or cannot be written.
        InputError: the image cannot be built, or does not fit.
        DeviceError: the board does not answer, or runs something else.
        CheckFailedError: its tool failed, or the board gives other bits.
    """
    board = project.board
    outcome = plan(project, wishes)
    if not wishes.verify_only:
        on_share("project", 0.0)
        write_project(project.files, wishes.folder, force=wishes.force)
        outcome.image = _image(project, wishes)
        if outcome.build != "planned":
            return _stopped(outcome, wishes, outcome.build)
        on_share("build", 0.0)
        outcome.taken, outcome.build = build(board, wishes.folder), "done"
        if outcome.flash == "planned" and not wishes.emulate:
            on_share("flash", 0.0)
            flash(outcome.commands[-1], wishes.folder)
            outcome.flash = "done"
        elif outcome.flash != "planned" and wishes.flash:
            return _stopped(outcome, wishes, outcome.flash)
    if _has_line(wishes):
        on_share("board", 0.0)
        line, timeout_s = _line(board, wishes)
        outcome.flash = "done" if wishes.emulate else outcome.flash
        outcome.acceptance = accept(
            line, project, outcome.image, drill=wishes.drill or wishes.emulate, timeout_s=timeout_s
        )
        outcome.check = "done"
    return outcome


def _has_line(wishes: Wishes) -> bool:
    return wishes.emulate or wishes.port is not None


def _stopped(outcome: Outcome, wishes: Wishes, why: str) -> Outcome:
    """Without a tool the project is what there is; who named a board wanted more."""
    if _has_line(wishes):
        raise MissingToolError(f"{wishes.folder}: the project is there, and {why}")
    return outcome


def _flash_plan(board: Board, wishes: Wishes, outcome: Outcome) -> str:
    """Whether the board is brought its image, or why not; its command line goes into the outcome."""
    call = board.emulator if wishes.emulate else board.flash
    if call is None:
        return f"not asked for: {board.name} is an emulator's board"
    outcome.commands.append(_command(call, wishes))
    if not wishes.flash:
        return "not asked for"
    return missing_to_flash(board, call, wishes.port) or "planned"


def _command(call: Call, wishes: Wishes) -> list[str]:
    if not wishes.emulate:
        return flash_command(call, wishes.port)
    # Started here, not in the project's folder; an absolute path is no option, whatever it is called.
    return call.filled({kind: str(wishes.folder.absolute() / path) for kind, path in BUILT.items()})


def _line(board: Board, wishes: Wishes) -> tuple[Line, float]:
    """A line to the board, or to the emulator that is started for it; seconds that a request waits."""
    if wishes.emulate:
        assert board.emulator is not None
        return ProcessLine(_command(board.emulator, wishes)), EMULATED_TIMEOUT_S
    assert wishes.port is not None
    return PortLine(wishes.port, board.baud), 1.0


def _image(project: Project, wishes: Wishes) -> str:
    """Of the project with the user's files on disk; of all that is on disk where only that is asked."""
    if (wishes.folder / RECORD).is_file():
        there = read_project(wishes.folder)
        if wishes.verify_only:
            return image_hash(there)
        users = {path: content for path, content in there.items() if is_users(path)}
        generated = {path: content for path, content in project.files.items() if not is_users(path)}
        return image_hash(generated | users)
    return image_hash(project.files)
