"""``ltc-edge verify``."""

from __future__ import annotations

from pathlib import Path

import click

from ltc_edge.cli.options import FILE, json_option, trust_c_option, trust_task_option
from ltc_edge.cli.output import print_json, stages
from ltc_edge.cli.verification_options import verification_options
from ltc_edge.cli.verification_table import print_reports, summaries
from ltc_edge.export.formats import FORMATS


@click.command("verify")
@click.argument("bundle", type=FILE)
@click.option(
    "--format",
    "formats",
    type=click.Choice([*FORMATS]),
    multiple=True,
    help="Repeatable; all where not given.",
)
@verification_options
@trust_task_option
@trust_c_option
@json_option
def command(
    bundle: Path,
    formats: tuple[str, ...],
    episodes: int,
    atol: float | None,
    rtol: float | None,
    trust_task: bool,
    trust_c: bool,
    as_json: bool,
) -> None:
    """Check BUNDLE on this machine: its files, its golden vectors, and every format it has.

    A format whose runtime is not installed is listed as not run, and so is a task whose simulator is
    missing; name a format to insist on it.
    """
    from ltc_edge.bundle.bundle import load_bundle
    from ltc_edge.bundle.pipeline import ExportOptions
    from ltc_edge.bundle.recheck import verify_bundle
    from ltc_edge.errors import CheckFailedError

    options = ExportOptions(episodes=episodes, atol=atol, rtol=rtol)
    with stages() as on_share:
        loaded = load_bundle(bundle, trust_c=trust_c)
        reports, note = verify_bundle(loaded, formats, options, on_share, trust_task=trust_task)
    failed = [f"{name}: {report.failures[0]}" for name, report in reports.items() if report.failures]
    if as_json:
        print_json({"bundle": str(bundle), "ok": not failed, "note": note, "formats": summaries(reports)})
    else:
        print_reports(str(bundle), reports, note)
    if failed:
        raise CheckFailedError(failed[0])
