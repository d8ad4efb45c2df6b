"""``ltc-edge export``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ltc_edge.cli.options import FILE, Finite, json_option, output_option, pair
from ltc_edge.cli.output import print_json, stages
from ltc_edge.cli.tuning import changed_json, tuning_options
from ltc_edge.cli.verification_options import verification_options
from ltc_edge.cli.verification_table import print_reports, summaries
from ltc_edge.export.formats import FORMATS

ALL = "all"

if TYPE_CHECKING:
    from ltc_edge.verification.report import FormatReport


@click.command("export")
@click.argument("source", type=FILE)
@output_option("Folder of the bundle.")
@click.option(
    "--format",
    "formats",
    type=click.Choice([*FORMATS, ALL]),
    multiple=True,
    help="Repeatable; all, the default, makes what is possible and lists what is not.",
)
@click.option(
    "--task", help="Task to verify and calibrate on, where SOURCE does not say: a name or module:task."
)
@click.option(
    "--sensors",
    type=click.Choice(["positions", "full"]),
    help="Of --task; positions where not given.",
)
@click.option("--calibration", type=FILE, help="Recording to calibrate with: a column for each observation.")
@click.option("--time", help="Column of the time in --calibration; without it rows are a period apart.")
@click.option(
    "--percentile",
    type=Finite(90, 100),
    default=100.0,
    show_default=True,
    help="Share of the calibration's values that ranges cover where none is proved.",
)
@click.option(
    "--dt-range", callback=pair, metavar="MIN,MAX", help="Narrower elapsed times allowed, in seconds."
)
@click.option(
    "--c-name",
    metavar="NAME",
    help="What names in C begin with; made of the controller's name where not given.",
)
@tuning_options
@click.option("--no-verify", is_flag=True, help="Write the bundle without proof that it works.")
@verification_options
@click.option("--force", is_flag=True, help="Replace an existing bundle.")
@json_option
def command(source: Path, output: Path, formats: tuple[str, ...], as_json: bool, **said: Any) -> None:
    """Write the controller of SOURCE as a bundle: a file for each format, each proved to do its job.

    SOURCE is a run folder of `ltc-edge train`, a controller (.safetensors), or an ONNX hub (.onnx).
    Where a format fails its verification nothing is written but the report, and the exit code is 1.
    """
    from ltc_edge.bundle.change_wording import changed
    from ltc_edge.bundle.pipeline import ExportOptions, export_bundle
    from ltc_edge.bundle.subject import read_subject, with_dt_range, with_task
    from ltc_edge.bundle.tuning import TuningOptions
    from ltc_edge.errors import VerificationFailedError

    for option, needed in (("sensors", "task"), ("time", "calibration"), ("seed", "finetune")):
        if said[option] is not None and not said[needed]:
            raise click.UsageError(f"--{option} says nothing without --{needed}")
    subject = read_subject(source)
    if said["task"] is not None:
        subject = with_task(subject, said["task"], said["sensors"] or "positions")
    if said["dt_range"] is not None:
        subject = with_dt_range(subject, *said["dt_range"])
    everything = not formats or ALL in formats
    options = ExportOptions(
        formats=tuple(FORMATS) if everything else formats,
        tolerate_refusals=everything,
        calibration=said["calibration"],
        calibration_time=said["time"],
        percentile=said["percentile"],
        verify=not said["no_verify"],
        episodes=said["episodes"],
        atol=said["atol"],
        rtol=said["rtol"],
        c_name=said["c_name"],
        force=said["force"],
        tuning=TuningOptions(said["solver"], said["unfolds"], said["finetune"], said["seed"] or 0),
    )
    title = f"{subject.controller.name} → {output}"
    try:
        with stages() as on_share:
            result = export_bundle(subject, output, options, on_share)
    except VerificationFailedError as failure:
        _show(title, output, failure.reports, None, ok=False, verified=True, as_json=as_json)
        raise
    _show(
        title,
        output,
        result.reports,
        result.task_note,
        ok=True,
        verified=options.verify,
        as_json=as_json,
        more=changed_json(result),
    )
    if result.change is not None and not as_json:
        click.echo(changed(result.change, result.cost))
    if result.doubt is not None:
        click.echo(f"Note: {result.doubt}", err=True)
    if not as_json:
        click.echo(f"Next: ltc-edge verify {output}")


def _show(
    title: str,
    output: Path,
    reports: Mapping[str, FormatReport],
    note: str | None,
    *,
    ok: bool,
    verified: bool,
    as_json: bool,
    more: Mapping[str, Any] | None = None,
) -> None:
    if as_json:
        bundle = str(output) if ok else None
        document = {
            "bundle": bundle,
            "ok": ok if verified else None,
            "note": note,
            "formats": summaries(reports),
        }
        print_json(document | dict(more or {}))
    elif reports:
        print_reports(title, reports, note)
