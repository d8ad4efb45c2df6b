"""``ltc-edge zoo``: the controllers that come with the package."""

from __future__ import annotations

from pathlib import Path

import click

from ltc_edge.cli.options import json_option, output_option
from ltc_edge.cli.output import print_json
from ltc_edge.errors import InputError
from ltc_edge.export.formats import FORMATS
from ltc_edge.zoo.entry import CELLS, SIZES

cell_option = click.option("--cell", type=click.Choice(CELLS), help="Of the controller.")


@click.group("zoo")
def command() -> None:
    """Take a trained, verified controller to start from.

    They are in the package: nothing is fetched. `docs/zoo.md` tells how they were made.
    """


@command.command("list")
@click.option("--task", help="Those for this task alone.")
@cell_option
@json_option
def list_entries(task: str | None, cell: str | None, as_json: bool) -> None:
    """List what there is: how good each is, and what it takes of a board."""
    from ltc_edge.zoo.index import load_index

    index = load_index()
    entries = index.choose(task, cell)
    if as_json:
        missing = [vars(each) for each in index.missing]
        print_json({"entries": [{"name": e.name, **e.document} for e in entries], "missing": missing})
        return
    from ltc_edge.cli.zoo_table import print_entries

    if entries:
        print_entries(entries)
    else:
        click.echo(f"There is no {cell} for {task or 'any task'}.")
    if task is None:
        for absent in index.missing:
            click.echo(f"Not there: {absent.task}: {absent.reason}")
    if entries:
        click.echo(f"Next: ltc-edge zoo get {entries[0].name} -o BUNDLE")


@command.command("show")
@click.argument("name")
@json_option
def show(name: str, as_json: bool) -> None:
    """Print the model card of NAME: how it was trained, how good it is, what it is for."""
    from ltc_edge.bundle.contents import CARD
    from ltc_edge.zoo.archive import read_archive
    from ltc_edge.zoo.index import load_index

    entry = load_index().find(name)
    card = read_archive(entry)[CARD].decode()
    if as_json:
        print_json({"name": entry.name, **entry.document, "card": card})
    else:
        click.echo(card, nl=False)


@command.command("get")
@click.argument("name", metavar="NAME|TASK")
@output_option("Folder of the bundle; with --controller a file.")
@cell_option
@click.option("--size", type=click.Choice(SIZES), help="Of TASK's controller; the smallest where not given.")
@click.option(
    "--format",
    "formats",
    type=click.Choice([*FORMATS]),
    multiple=True,
    help="Repeatable; all that the zoo has of it where not given.",
)
@click.option(
    "--controller",
    "as_controller",
    is_flag=True,
    help="Write the controller as it was trained, for `ltc-edge train TASK --from`, and no bundle.",
)
@click.option("--force", is_flag=True, help="Replace what is there.")
@json_option
def get(
    name: str,
    output: Path,
    cell: str | None,
    size: str | None,
    formats: tuple[str, ...],
    as_controller: bool,
    force: bool,
    as_json: bool,
) -> None:
    """Write the bundle of NAME, as it was verified and measured, checked against the digests of the index.

    \b
    ltc-edge zoo get cartpole -o balance
    ltc-edge zoo get cartpole --cell cfc --size large -o cart
    ltc-edge zoo get pendulum-ltc-small --controller -o start.safetensors
    """
    from ltc_edge.logs import LOG_TASKS
    from ltc_edge.zoo.index import load_index
    from ltc_edge.zoo.take import take_bundle, take_controller

    if as_controller and formats:
        raise InputError("--controller writes no formats; leave --format out")
    entry = load_index().find(name, cell, size)
    if as_controller:
        take_controller(entry, output, force=force)
        made = {"controller": str(output), "formats": []}
        recordings = " --data-dir DATA" if entry.task in LOG_TASKS else ""
        following = f"ltc-edge train {entry.task}{recordings} --from {output} -o RUN"
    else:
        made = {"bundle": str(output), "formats": take_bundle(entry, output, formats, force=force).formats()}
        following = f"ltc-edge verify {output}"
    if as_json:
        print_json({"name": entry.name, "task": entry.task, "sha256": entry.document["sha256"], **made})
        return
    click.echo(f"{entry.name} → {output}: {', '.join(made['formats']) or 'the controller as it was trained'}")
    if not (formats or as_controller):
        for absent, reason in entry.refused.items():
            click.echo(f"Not there: {absent}: {reason}")
    click.echo(f"Next: {following}")
