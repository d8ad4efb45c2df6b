"""``ltc-edge deploy --board NAME``: a firmware project, built, flashed, and checked over its serial line."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ltc_edge.cli.options import output_option, stack
from ltc_edge.cli.output import console, print_json, stages

if TYPE_CHECKING:
    from ltc_edge.deploy.boards import Board
    from ltc_edge.deploy.boards.deploy import Outcome, Wishes
    from ltc_edge.deploy.boards.project import Project

board_options = stack(
    [
        click.option("--board", metavar="NAME", help="A board, or a .toml file that describes one."),
        click.option("--list-boards", is_flag=True, help="List the boards."),
        output_option("Folder of the project. Without it, CONTROLLER-BOARD here.", required=False),
        click.option("--port", help="The board's serial port, such as /dev/ttyACM0."),
        click.option("--emulate", is_flag=True, help="Run the image in the board's emulator."),
        click.option("--no-flash", is_flag=True, help="Build, and leave the board as it is."),
        click.option("--verify-only", is_flag=True, help="Only ask the board at --port what it runs."),
        click.option(
            "--order",
            type=click.Choice(["arm", "disarm", "shadow", "report"]),
            help="Only ask the loop of the board at --port for this. ARMED, ACTUATORS MOVE.",
        ),
        click.option(
            "--drill",
            is_flag=True,
            help="Then arm the loop and lose its readings on purpose, to see the fallback. ACTUATORS MOVE.",
        ),
    ]
)

BOARD_SHARED = frozenset({"form", "rate", "supervisor", "trust_c", "dry_run", "force"})
BOARD_CHOSEN_TOO = frozenset({"list_boards"})


def deploy_to_board(bundle: Path | None, said: Mapping[str, Any]) -> None:
    """Do what the options of ``--board`` ask for, and print it.

    Raises:
        LtcEdgeError: see `ltc_edge.deploy.boards.deploy.deploy`.
    """
    from ltc_edge.deploy.boards import find_board
    from ltc_edge.deploy.boards.deploy import check_wishes, deploy, plan

    if said["list_boards"]:
        if bundle is not None or said["board"] is not None:
            raise click.UsageError("--list-boards takes neither a bundle nor --board")
        _list_boards(as_json=said["as_json"])
        return
    if bundle is None:
        raise click.UsageError("say which bundle")
    board = find_board(said["board"])
    project = _project(bundle, board, said)
    if said["order"] is not None:
        _order(project, said)
        return
    wishes = _wishes(project, said)
    check_wishes(board, wishes)
    if said["dry_run"]:
        outcome = plan(project, wishes)
    else:
        with stages() as on_share:
            outcome = deploy(project, wishes, on_share)
    if said["as_json"]:
        print_json(_document(project, wishes, outcome, dry=said["dry_run"]))
    else:
        _print(project, wishes, outcome, dry=said["dry_run"])


def _project(bundle: Path, board: Board, said: Mapping[str, Any]) -> Project:
    from ltc_edge.bundle.bundle import load_bundle
    from ltc_edge.deploy.boards.project import make_project
    from ltc_edge.deploy.rate import plan_rate
    from ltc_edge.deploy.sources import choose_c_format

    loaded = load_bundle(bundle)
    # The board's own format, where the bundle has it.
    suits = said["form"] or (board.form if board.form in loaded.formats else None)
    timing = loaded.controller.timing
    return make_project(
        loaded,
        board,
        choose_c_format(loaded, suits),
        period_s=timing.period_s if said["rate"] is None else plan_rate(timing, said["rate"]).step_s,
        supervisor=said["supervisor"],
        trust_c=said["trust_c"],
    )


def _order(project: Project, said: Mapping[str, Any]) -> None:
    from ltc_edge.deploy.boards.acceptance import ORDERS, give_order
    from ltc_edge.runtimes.serial_lines import PortLine
    from ltc_edge.supervision.codes import status_names

    if said["port"] is None:
        raise click.UsageError("--order is over the serial line: say the board's --port")
    line = PortLine(said["port"], project.board.baud)
    report = give_order(line, project, ORDERS[said["order"]])
    if said["as_json"]:
        print_json({"board": project.board.name, "order": said["order"], "loop": report.to_json()})
        return
    bits = ", ".join(status_names(report.seen)) or "nothing to report"
    acts = ", ".join(
        f"{signal.name} {value:g}"
        for signal, value in zip(project.controller.actions, report.action, strict=True)
    )
    click.echo(
        f"{report.mode.name.lower()} after {report.steps} steps, {report.missed} deadlines missed: {bits}"
    )
    click.echo(f"last action: {acts}; longest step {1000 * report.longest_s:.3g} ms")


def _wishes(project: Project, said: Mapping[str, Any]) -> Wishes:
    from ltc_edge.deploy.boards.deploy import Wishes

    board = project.board
    name = f"{project.sources.name.replace('_', '-')}-{board.name}"
    return Wishes(
        folder=said["output"] or Path(name),
        port=said["port"],
        # A board that is nothing but an emulator's is run in it, unless only the project is asked for.
        emulate=said["emulate"] or (board.is_emulated and not said["no_flash"] and said["port"] is None),
        flash=not said["no_flash"],
        drill=said["drill"],
        verify_only=said["verify_only"],
        force=said["force"],
    )


def _document(project: Project, wishes: Wishes, outcome: Outcome, *, dry: bool) -> dict[str, Any]:
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


def _print(project: Project, wishes: Wishes, outcome: Outcome, *, dry: bool) -> None:
    board, taken, found = project.board, outcome.taken, outcome.acceptance
    click.echo(f"{project.controller.name} in {project.form} for {board.title}, image {outcome.image}")
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


def _state(status: str) -> str:
    return (
        status
        if status in ("done", "planned", "not asked for")
        else f"not done: {status.removeprefix('not asked: ')}"
    )


def _size(board: Board, taken: Any) -> str:
    if taken is None:
        return ""
    return (
        f": {taken.flash_bytes} of {board.flash_bytes} bytes of flash, "
        f"{taken.ram_bytes} of {board.ram_bytes} of RAM before the stack"
    )


def _list_boards(*, as_json: bool) -> None:
    from ltc_edge.deploy.boards import BOARDS, find_board
    from ltc_edge.deploy.boards.build import missing_to_build

    boards = [find_board(name) for name in BOARDS]
    if as_json:
        print_json({"boards": {board.name: _described(board) for board in boards}})
        return
    from rich.table import Table

    table = Table("board", "what", "format", "tried", "needs")
    table.columns[0].no_wrap = True
    for board in boards:
        missing = missing_to_build(board) or "all is here"
        table.add_row(board.name, f"{board.title}; {board.processor}", board.form, board.tried, missing)
    console().print(table)
    click.echo("Next: ltc-edge deploy BUNDLE --board mps2-an386")


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
