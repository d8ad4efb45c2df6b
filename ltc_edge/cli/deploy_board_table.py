"""What ``ltc-edge deploy --board`` prints."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

import click

from ltc_edge.cli.output import console, one_line, print_json

if TYPE_CHECKING:
    from ltc_edge.deploy.boards import Board
    from ltc_edge.deploy.boards.board_loop import LoopReport
    from ltc_edge.deploy.boards.build import Taken
    from ltc_edge.deploy.boards.deploy import Outcome, Wishes
    from ltc_edge.deploy.boards.project import Project


def board_document(project: Project, wishes: Wishes, outcome: Outcome, *, dry: bool) -> dict[str, Any]:
    """What ``--json`` prints; ``docs/deploy-boards.md`` has the keys."""
    board, taken, found = project.board, outcome.taken, outcome.acceptance
    return {
        "board": board.name,
        "form": project.form,
        "controller": project.sources.version(),
        "project": str(wishes.folder),
        "image": outcome.image,
        "period_s": project.period_s,
        "dry_run": dry,
        "emulated": wishes.emulate,
        "commands": outcome.commands,
        "build": outcome.build,
        "flash": outcome.flash,
        "check": outcome.check,
        "flash_bytes": None if taken is None else taken.flash_bytes,
        "ram_bytes": None if taken is None else taken.ram_bytes,
        "flash_bytes_there": board.flash_bytes,
        "ram_bytes_there": board.ram_bytes,
        "found": None if found is None else found.to_json(),
    }


def print_board(project: Project, wishes: Wishes, outcome: Outcome, *, dry: bool) -> None:
    """What was done, or would be, and what the board showed."""
    board, taken, found = project.board, outcome.taken, outcome.acceptance
    click.echo(
        f"{one_line(project.controller.name)} in {project.form} for {board.title}, image {outcome.image}"
    )
    if not wishes.verify_only:
        click.echo(f"project  {'would be ' if dry else ''}in {wishes.folder}")
        click.echo(f"build    {_state(outcome.build)}{_size(board, taken)}")
        click.echo(f"flash    {_state(outcome.flash)}")
    click.echo(f"check    {_state(outcome.check)}")
    for command in outcome.commands:
        click.echo(f"  {shlex.join(command)}")
    if found is None:
        return
    compared = (
        f", and {found.steps} steps to the bit" if found.steps else "; no C compiler here to compare with"
    )
    tested = "its selftest holds" if found.selftest else "its parameters have their CRC"
    click.echo(f"The board runs {found.version}: this image, {tested}{compared}.")
    if found.drill is not None:
        then = "latched" if found.drill.latched else "active again"
        click.echo(
            f"Drill: shadow, active, readings lost, fallback, {then}, disarmed; "
            f"{found.drill.missed} deadlines of {1000 * project.period_s:g} ms missed, "
            f"the longest step took {1000 * found.drill.longest_s:.3g} ms"
            + (" in an emulator, whose time is not the board's." if wishes.emulate else ".")
        )
    if found.image.simulated:
        click.echo(f"Note: its sensors are a stand-in; put yours into {wishes.folder / 'app' / 'sensors.c'}")


def print_report(project: Project, report: LoopReport) -> None:
    """How a board's loop stands."""
    from ltc_edge.supervision.codes import status_names

    bits = ", ".join(status_names(report.seen)) or "nothing to report"
    pairs = zip(project.controller.actions, report.action, strict=True)
    acts = ", ".join(f"{one_line(signal.name)} {value:g}" for signal, value in pairs)
    mode = report.mode.name.lower()
    click.echo(f"{mode} after {report.steps} steps, {report.missed} deadlines missed: {bits}")
    click.echo(f"last action: {acts}; longest step {1000 * report.longest_s:.3g} ms")


def _state(status: str) -> str:
    if status in ("done", "planned", "not asked for"):
        return status
    return f"not done: {status.removeprefix('not asked: ')}"


def _size(board: Board, taken: Taken | None) -> str:
    if taken is None:
        return ""
    return (
        f": {taken.flash_bytes} of {board.flash_bytes} bytes of flash, "
        f"{taken.ram_bytes} of {board.ram_bytes} of RAM before the stack"
    )


def list_boards(*, as_json: bool) -> None:
    """The boards that the package describes, and what they still need here."""
    from ltc_edge.deploy.boards import BOARDS, find_board

    boards = [find_board(name) for name in BOARDS]
    if as_json:
        print_json({"boards": {board.name: _described(board) for board in boards}})
        return
    from rich.table import Table

    table = Table("board", "what", "format", "tried", "needs")
    table.columns[0].no_wrap = True
    for column in table.columns:
        column.overflow = "fold"
    for board in boards:
        what = f"{board.title}; {board.processor}"
        table.add_row(board.name, what, board.form, board.tried, _needs(board))
    console().print(table)
    click.echo("Next: ltc-edge deploy BUNDLE --board mps2-an386")


def _needs(board: Board) -> str:
    """The programs that are missing here, by name; --json says how to get them."""
    from ltc_edge.deploy.boards.build import missing_to_build
    from ltc_edge.deploy.boards.flash import missing_to_flash

    needs = [board.compiler] if missing_to_build(board) else []
    if board.flash is not None and missing_to_flash(board, board.flash, "PORT"):
        needs.append(board.flash.command)
    return ", ".join(needs) or "all is here"


def _described(board: Board) -> dict[str, Any]:
    from ltc_edge.deploy.boards.build import missing_to_build
    from ltc_edge.deploy.boards.flash import missing_to_flash

    return {
        "title": board.title,
        "processor": board.processor,
        "target": board.target,
        "flash_bytes": board.flash_bytes,
        "ram_bytes": board.ram_bytes,
        "format": board.form,
        "compiler": board.compiler,
        "flash": None if board.flash is None else board.flash.filled({}),
        "emulator": None if board.emulator is None else board.emulator.filled({}),
        "serial": board.serial,
        "baud": board.baud,
        "tried": board.tried,
        "missing_to_build": missing_to_build(board),
        "missing_to_flash": None if board.flash is None else missing_to_flash(board, board.flash, "PORT"),
    }
