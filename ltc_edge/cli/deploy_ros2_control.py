"""``ltc-edge deploy --ros2-control FOLDER``: a package of ROS 2 with the controller as a plugin."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ltc_edge.cli.options import FILE, stack
from ltc_edge.cli.output import console, print_json

if TYPE_CHECKING:
    from ltc_edge.deploy.ros.ros2_control import ControlPackage

ros2_control_options = stack(
    [
        click.option(
            "--ros2-control",
            "ros2_control",
            type=FILE,
            metavar="FOLDER",
            help="Write a plugin of ros2_control into FOLDER: a package of ROS 2.",
        ),
    ]
)

SHARED = frozenset({"form", "supervisor", "trust_c", "dry_run", "force"})
"""The options of `ltc-edge deploy` that mean something here."""


def deploy_to_ros2_control(bundle: Path | None, said: Mapping[str, Any]) -> None:
    """Write the package.

    Raises:
        BundleError: the bundle is none, or its C is not what its controller gives.
        InputError: the bundle has no C, or the supervisor's settings do not fit.
        OutputError: the folder exists already, or cannot be written.
    """
    from ltc_edge.bundle.bundle import load_bundle
    from ltc_edge.deploy.ros.package_folder import write_package
    from ltc_edge.deploy.ros.ros2_control import control_package
    from ltc_edge.deploy.sources import choose_c_format, trusted_sources
    from ltc_edge.supervision.settings import default_settings
    from ltc_edge.supervision.settings_file import read_settings

    if bundle is None:
        raise click.UsageError("say which bundle to make a plugin of")
    loaded = load_bundle(bundle)
    form = choose_c_format(loaded, said["form"])
    artifact = trusted_sources(loaded, form, trust_c=said["trust_c"])
    settings = default_settings(loaded.controller)
    if said["supervisor"] is not None:
        settings = read_settings(said["supervisor"], settings)
    package = control_package(loaded.controller, artifact, settings)
    if not said["dry_run"]:
        write_package(package.files, said["ros2_control"], force=said["force"])
    (_print_json if said["as_json"] else _print_words)(bundle, form, package, said)


def _print_json(bundle: Path, form: str, package: ControlPackage, said: Mapping[str, Any]) -> None:
    print_json(
        {
            "bundle": str(bundle),
            "folder": str(said["ros2_control"]),
            "written": not said["dry_run"],
            "format": form,
            "package": package.name,
            "plugin": package.plugin,
            "state_interfaces": list(package.state_interfaces),
            "command_interfaces": list(package.command_interfaces),
            "files": sorted(package.files),
        }
    )


def _print_words(_: Path, form: str, package: ControlPackage, said: Mapping[str, Any]) -> None:
    out = console()
    verb = "would be written to" if said["dry_run"] else "is in"
    out.print(f"Package {package.name} {verb} {said['ros2_control']}: plugin {package.plugin}, {form}.")
    out.print(f"  reads   {', '.join(package.state_interfaces)}")
    out.print(f"  drives  {', '.join(package.command_interfaces)}")
    out.print(f"Set your robot's interfaces in config/{package.name}.yaml, and build it with colcon.")
