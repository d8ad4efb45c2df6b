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

EMULATOR = {"unicorn": "unicorn", "elftools": "pyelftools"}
"""What emulates a target, by module: the packages of the extra ``firmware``."""


@click.command("targets")
@json_option
def command(as_json: bool) -> None:
    """List the processors that controllers in C can be compiled for and emulated on.

    A target is a TOML file: where a target's name is taken, so is the path of such a file of your own.
    """
    from ltc_edge.targets import TARGETS, find_target

    targets = [find_target(name) for name in TARGETS]
    if as_json:
        print_json({"targets": {target.name: _document(target) for target in targets}})
        return
    from rich.table import Table

    table = Table("target", "what", "part", "needs")
    for target in targets:
        missing = _missing(target)
        table.add_row(
            target.name, target.summary, target.part or "", ", ".join(missing) if missing else "all is here"
        )
    console().print(table)
    click.echo("Next: ltc-edge evaluate BUNDLE --format c-int16 --target cortex-m4")


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
