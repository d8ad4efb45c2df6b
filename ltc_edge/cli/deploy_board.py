"""``ltc-edge deploy --board NAME``: a firmware project, built, flashed, and checked over its serial line."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ltc_edge.cli.deploy_board_table import board_document, list_boards, print_board, print_report
from ltc_edge.cli.options import output_option, stack
from ltc_edge.cli.output import print_json, stages

if TYPE_CHECKING:
    from ltc_edge.deploy.boards import Board
    from ltc_edge.deploy.boards.deploy import Wishes
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
        list_boards(as_json=said["as_json"])
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
        print_json(board_document(project, wishes, outcome, dry=said["dry_run"]))
    else:
        print_board(project, wishes, outcome, dry=said["dry_run"])


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
    from ltc_edge.deploy.boards.orders import ORDERS, give_order
    from ltc_edge.runtimes.serial_lines import PortLine

    if said["port"] is None:
        raise click.UsageError("--order is over the serial line: say the board's --port")
    line = PortLine(said["port"], project.board.baud)
    report = give_order(line, project, ORDERS[said["order"]])
    if said["as_json"]:
        print_json({"board": project.board.name, "order": said["order"], "loop": report.to_json()})
        return
    print_report(project, report)


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
