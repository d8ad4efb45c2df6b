"""``ltc-edge deploy --to ssh://…``: onto machines with Linux."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from ltc_edge.cli.options import stack

linux_options = stack(
    [
        click.option(
            "--to",
            multiple=True,
            metavar="ADDRESS",
            help="ssh://user@host[:port][/name], or @fleet.toml; repeatable.",
        ),
    ]
)


def deploy_to_linux(bundle: Path | None, said: Mapping[str, Any]) -> None:
    """Deploy to every machine of ``--to``.

    Raises:
        InputError: an address is none.
    """
    from ltc_edge.profiling.places import find_place

    if bundle is None:
        raise click.UsageError("say which bundle")
    for address in said["to"]:
        find_place(address)
    raise click.UsageError("--to cannot be used yet")
