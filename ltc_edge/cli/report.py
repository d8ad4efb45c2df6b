"""``ltc-edge report``."""

from __future__ import annotations

from pathlib import Path

import click

from ltc_edge.cli.options import FILE, json_option, output_option
from ltc_edge.cli.output import one_line, print_json


@click.command("report")
@click.argument("bundle", type=FILE)
@click.option(
    "--profile",
    "profiles",
    type=FILE,
    multiple=True,
    help="A profile.json of `ltc-edge profile` about BUNDLE. Repeatable.",
)
@click.option(
    "--rates",
    type=FILE,
    multiple=True,
    help="What `ltc-edge evaluate BUNDLE --rate HZ --json` printed. Repeatable.",
)
@output_option("File of HTML to write.")
@click.option("--force", is_flag=True, help="Replace the file.")
@json_option
def command(
    bundle: Path,
    profiles: tuple[Path, ...],
    rates: tuple[Path, ...],
    output: Path,
    force: bool,
    as_json: bool,
) -> None:
    """Write one page of HTML about BUNDLE: wiring, verification, sizes, and what was measured.

    The page needs neither a network nor a script.
    """
    from ltc_edge.bundle.bundle import load_bundle
    from ltc_edge.errors import OutputError
    from ltc_edge.files import write_atomically
    from ltc_edge.report.page import report_page

    if output.exists() and not force:
        raise OutputError(f"{output}: exists already; choose another with -o, or replace it with --force")
    if bundle.resolve() in output.resolve().parents:
        raise OutputError(
            f"{output}: is in the bundle, which holds its own files only; choose another with -o"
        )
    page = report_page(load_bundle(bundle), profiles, rates)
    write_atomically(output, page)
    if as_json:
        shown = {"profiles": [str(path) for path in profiles], "rates": [str(path) for path in rates]}
        print_json({"report": str(output), "bytes": len(page), **shown})
    else:
        click.echo(f"{one_line(str(bundle))} → {one_line(str(output))} ({len(page):,} bytes)")
