"""``ltc-edge deploy``: one destination a call; each has its options and its file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from ltc_edge.cli.deploy_board import BOARD_CHOSEN_TOO, BOARD_SHARED, board_options, deploy_to_board
from ltc_edge.cli.deploy_linux import SHARED as LINUX_SHARED
from ltc_edge.cli.deploy_linux import deploy_to_linux, linux_options
from ltc_edge.cli.deploy_px4 import (
    CRAZYFLIE_SHARED,
    PX4_SHARED,
    crazyflie_options,
    deploy_to_px4,
    px4_options,
)
from ltc_edge.cli.deploy_ros2_control import SHARED as ROS2_CONTROL_SHARED
from ltc_edge.cli.deploy_ros2_control import deploy_to_ros2_control, ros2_control_options
from ltc_edge.cli.options import FILE, Finite, json_option, stack
from ltc_edge.errors import InputError

Options = Callable[[Callable[..., Any]], Callable[..., Any]]


@dataclass(frozen=True)
class Destination:
    """Where a bundle can be deployed.

    Attributes:
        say: its option, and an example of what goes with it.
        options: decorator with its own options; the first of them chooses it.
        deploy: does it; takes the bundle (None where none was named) and all options by name, and prints.
        shared: names of those of `SHARED` that mean something there; ``--json`` always does.
        chosen_too: names of further options of its own that choose it.
    """

    say: str
    options: Options
    deploy: Callable[[Path | None, Mapping[str, Any]], None]
    shared: frozenset[str]
    chosen_too: frozenset[str] = frozenset()

    def own(self) -> list[click.Parameter]:
        """Its own options, the one that chooses it first."""

        def bare() -> None: ...

        return list(reversed(self.options(bare).__click_params__))  # type: ignore[attr-defined]


SHARED = stack(
    [
        click.option(
            "--format",
            "form",
            type=click.Choice(["c-float32", "c-int16"]),
            help="Which of the bundle's formats in C. Without it, c-float32, or the only one there is.",
        ),
        click.option("--rate", type=Finite(0.01, 100_000), metavar="HZ", help="Instead of the controller's."),
        click.option("--supervisor", type=FILE, metavar="FILE", help="Settings of the supervisor, TOML."),
        click.option(
            "--trust-c",
            is_flag=True,
            help="Compile the bundle's own C, even where this version of ltc-edge writes other C.",
        ),
        click.option("--dry-run", is_flag=True, help="Print what would be done, and do none of it."),
        click.option("--force", is_flag=True, help="Replace what is there."),
    ]
)

DESTINATIONS = (
    Destination(
        "--to ssh://user@host",
        linux_options,
        deploy_to_linux,
        LINUX_SHARED,
    ),
    Destination("--ros2-control FOLDER", ros2_control_options, deploy_to_ros2_control, ROS2_CONTROL_SHARED),
    Destination("--board NAME", board_options, deploy_to_board, BOARD_SHARED, BOARD_CHOSEN_TOO),
    Destination("--px4 FOLDER", px4_options, deploy_to_px4, PX4_SHARED),
    Destination("--crazyflie FOLDER", crazyflie_options, deploy_to_px4, CRAZYFLIE_SHARED),
)


def _own_options(function: Callable[..., Any]) -> Callable[..., Any]:
    return stack([destination.options for destination in DESTINATIONS])(function)


@click.command("deploy")
@click.argument("bundle", type=FILE, required=False)
@SHARED
@_own_options
@json_option
@click.pass_context
def command(context: click.Context, /, bundle: Path | None, **said: Any) -> None:
    """Bring the controller of BUNDLE onto a device.

    \b
    ltc-edge deploy BUNDLE --to ssh://pi@raspberrypi.local
    ltc-edge deploy --status --to ssh://pi@raspberrypi.local
    ltc-edge deploy --rollback --to ssh://pi@raspberrypi.local
    ltc-edge deploy BUNDLE --board raspberry-pi-pico
    ltc-edge deploy --list-boards

    The C of a bundle is written anew from its controller and compared before it is compiled or sent.
    Exit code 1: a check on the device failed, and what ran before runs still.
    """
    _chosen(context).deploy(bundle, said)


def _chosen(context: click.Context) -> Destination:
    """The one destination that was named, once no option is said that means nothing there."""
    told = {
        name
        for name in context.params
        if context.get_parameter_source(name) not in (ParameterSource.DEFAULT, ParameterSource.DEFAULT_MAP)
    }
    named = [one for one in DESTINATIONS if told & {one.own()[0].name, *one.chosen_too}]
    if len(named) != 1:
        ways = ", or ".join(one.say for one in DESTINATIONS)
        raise click.UsageError(f"say where to deploy to, and once: {ways}")
    destination = named[0]
    meant = {parameter.name for parameter in destination.own()} | destination.shared
    odd = told - meant - {"bundle", "as_json"}
    if odd:
        flags = {parameter.name: parameter.opts[0] for parameter in context.command.params}
        listed = ", ".join(sorted(flags[name] for name in odd))
        raise InputError(f"{destination.say.split()[0]} does not take {listed}")
    return destination
