"""``ltc-edge deploy --px4 FOLDER`` and ``--crazyflie FOLDER``: the controller as flight code."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ltc_edge.cli.options import FILE, stack
from ltc_edge.cli.output import console, one_line, print_json

if TYPE_CHECKING:
    from ltc_edge.bundle.bundle import Bundle
    from ltc_edge.deploy.px4.flight_code import FlightCode
    from ltc_edge.deploy.px4.signals import Connection, Connections
    from ltc_edge.deploy.rate import RatePlan

px4_options = stack(
    [
        click.option("--px4", type=FILE, metavar="FOLDER", help="Write a module of PX4 into FOLDER."),
        click.option(
            "--signals",
            type=FILE,
            metavar="FILE",
            help="Which numbers of the flight software the signals are, TOML; see docs/px4.md.",
        ),
    ]
)

crazyflie_options = stack(
    [
        click.option(
            "--crazyflie",
            type=FILE,
            metavar="FOLDER",
            help="Write an out-of-tree controller of the Crazyflie's firmware into FOLDER.",
        ),
    ]
)

PX4_SHARED = frozenset({"form", "rate", "supervisor", "trust_c", "dry_run", "force"})
"""The options of `ltc-edge deploy` that mean something for PX4."""

CRAZYFLIE_SHARED = PX4_SHARED - {"rate"} | {"signals"}
"""The same for the Crazyflie, whose stabiliser has one rate."""


def deploy_to_px4(bundle: Path | None, said: Mapping[str, Any]) -> None:
    """Write the folder, for PX4 or for the Crazyflie.

    Raises:
        BundleError: the bundle is none, or its C is not what its controller gives.
        InputError: the bundle has no C, a signal has no number in the flight software, or settings or rate
            do not fit the controller.
        OutputError: the folder exists already, with --force has somebody's files, or cannot be written.
    """
    from ltc_edge.bundle.bundle import load_bundle
    from ltc_edge.deploy.px4.code_folder import write_code

    if bundle is None:
        raise click.UsageError("say which bundle to make flight code of")
    folder: Path = said["px4"] or said["crazyflie"]
    loaded = load_bundle(bundle)
    code, connections, plan, form = _made(loaded, said)
    if not said["dry_run"]:
        write_code(code.files, folder, force=said["force"])
    if said["as_json"]:
        print_json(
            {
                "bundle": str(bundle),
                "folder": str(folder),
                "written": not said["dry_run"],
                "format": form,
                "name": code.name,
                "step_s": plan.step_s,
                "every": plan.every,
                "reads": {each.signal: str(each.place) for each in connections.observations},
                "drives": {each.signal: str(each.place) for each in connections.actions},
                "scales": {
                    each.signal: each.scale for each in (*connections.observations, *connections.actions)
                },
                "files": sorted(code.files),
            }
        )
        return
    out = console()
    verb = "would be written to" if said["dry_run"] else "is in"
    out.print(f"{code.name} {verb} {one_line(str(folder))}: {form}, every {1000 * plan.step_s:.6g} ms.")
    for each in connections.observations:
        out.print(f"  {_in_words(each)} is {_times(each)}{each.place}")
    for each in connections.actions:
        out.print(f"  {each.place} is {_times(each)}{_in_words(each)}")
    out.print(
        "It was never built into the flight software here, and never flew: README.md says what to check."
    )


def _in_words(connection: Connection) -> str:
    unit = f" [{connection.unit}]" if connection.unit else ""
    return one_line(connection.signal + unit)


def _times(connection: Connection) -> str:
    return "" if connection.scale == 1.0 else f"{connection.scale:.7g} · "


def _made(bundle: Bundle, said: Mapping[str, Any]) -> tuple[FlightCode, Connections, RatePlan, str]:
    """The code, its signals, how often it steps, and the format that is in it."""
    from ltc_edge.deploy.px4 import fields
    from ltc_edge.deploy.px4.crazyflie import STABILISER_HZ, crazyflie_app
    from ltc_edge.deploy.px4.flight_code import FlightSubject
    from ltc_edge.deploy.px4.module import px4_module
    from ltc_edge.deploy.px4.signals import connect
    from ltc_edge.deploy.rate import RatePlan, plan_rate
    from ltc_edge.deploy.sources import choose_c_format, trusted_sources
    from ltc_edge.supervision.settings import default_settings
    from ltc_edge.supervision.settings_file import read_settings

    controller = bundle.controller
    form = choose_c_format(bundle, said["form"])
    settings = default_settings(controller)
    if said["supervisor"] is not None:
        settings = read_settings(said["supervisor"], settings)
    is_px4 = said["px4"] is not None
    inputs, outputs = (
        (fields.PX4_INPUTS, fields.PX4_OUTPUTS)
        if is_px4
        else (fields.CRAZYFLIE_INPUTS, fields.CRAZYFLIE_OUTPUTS)
    )
    connections = connect(controller, inputs, outputs, said["signals"])
    rate_hz = said["rate"] if is_px4 else STABILISER_HZ
    plan = (
        RatePlan(controller.timing.period_s, 1) if rate_hz is None else plan_rate(controller.timing, rate_hz)
    )
    artifact = trusted_sources(bundle, form, trust_c=said["trust_c"])
    make = px4_module if is_px4 else crazyflie_app
    subject = FlightSubject(controller, artifact, settings, connections, plan)
    return make(subject), connections, plan, form
