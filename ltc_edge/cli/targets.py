"""``ltc-edge targets``."""

from __future__ import annotations

import importlib.util
import shutil
from typing import TYPE_CHECKING, Any

import click

from ltc_edge.cli.options import json_option
from ltc_edge.cli.output import console, print_json

if TYPE_CHECKING:
    from ltc_edge.targets import Target

EMULATOR = {"unicorn": "unicorn", "elftools": "pyelftools", "capstone": "capstone"}
"""What emulates a target, by module: the packages of the extra ``firmware``."""


DEVICES = {
    "local": ("this machine", ()),
    "ssh://user@host[:port]": (
        "any Linux: Raspberry Pi 1 to 5, Zero, x86-64; needs Python 3.9 there",
        ("ssh",),
    ),
    "serial:PORT": ("a board that runs a firmware of firmware_examples", ("serial",)),
}
"""What is no processor to emulate: summary, and what it takes here."""


@click.command("targets")
@json_option
def command(as_json: bool) -> None:
    """List what `profile` measures on: this machine, others over ssh, boards, and emulated processors.

    A target is a TOML file: where a target's name is taken, so is the path of such a file of your own, for a
    processor to emulate or for a device with an address.
    """
    from ltc_edge.targets import TARGETS, find_target

    targets = [find_target(name) for name in TARGETS]
    if as_json:
        devices = {
            name: {"summary": summary, "missing": _missing_for(needs)}
            for name, (summary, needs) in DEVICES.items()
        }
        print_json({"targets": devices | {target.name: _document(target) for target in targets}})
        return
    from rich.table import Table

    table = Table("target", "what", "part", "needs")
    for name, (summary, needs) in DEVICES.items():
        table.add_row(name, summary, "", ", ".join(_missing_for(needs)) or "all is here")
    table.add_section()
    for target in targets:
        missing = ", ".join(_missing(target)) or "all is here"
        table.add_row(target.name, f"emulated {target.summary}", target.part or "", missing)
    console().print(table)
    click.echo("Next: ltc-edge profile BUNDLE --target cortex-m4")


def _missing_for(needs: tuple[str, ...]) -> list[str]:
    """Of the programs and packages that a device takes, those that are not here."""
    missing = []
    if "ssh" in needs and not _is_here("ssh"):
        missing.append("ssh (Debian: openssh-client)")
    if "serial" in needs and importlib.util.find_spec("serial") is None:
        missing.append("pyserial (pip install 'ltc-edge[firmware]')")
    return missing


def _document(target: Target) -> dict[str, Any]:
    return {
        "summary": target.summary,
        "architecture": target.architecture,
        "fpu": target.fpu,
        "part": target.part,
        "flash_bytes": target.flash_bytes,
        "ram_bytes": target.ram_bytes,
        "compilers": {
            name: {"command": tool.command, "package": tool.package, "here": _is_here(tool.command)}
            for name, tool in target.compilers.items()
        },
        "missing": _missing(target),
    }


def _missing(target: Target) -> list[str]:
    """Packages that compiling and emulating still needs here."""
    linker = target.compilers["gcc"]
    tools = [] if _is_here(linker.command) else [f"{linker.command} (Debian: {linker.package})"]
    absent = [package for module, package in EMULATOR.items() if importlib.util.find_spec(module) is None]
    return tools + ([f"{' and '.join(absent)} (pip install 'ltc-edge[firmware]')"] if absent else [])


def _is_here(command: str) -> bool:
    return shutil.which(command) is not None
