"""``ltc-edge profile``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from ltc_edge.cli.options import FILE, json_option, output_option, trust_c_option
from ltc_edge.cli.output import print_json, stages
from ltc_edge.cli.profile_fleet import profile_targets
from ltc_edge.cli.profile_options import (
    budget_options,
    fleet_options,
    refuse_without_fleet,
    request_of,
    timing_options,
)
from ltc_edge.cli.profile_options import states as read_states
from ltc_edge.cli.profile_table import print_profile
from ltc_edge.cli.signals import ended_is_interrupted
from ltc_edge.export.formats import FORMATS


@click.command("profile")
@click.argument("subject", metavar="BUNDLE|MODEL", type=FILE)
@click.option(
    "--target",
    default="local",
    show_default=True,
    help="local, ssh://user@host[:port], serial:PORT, or a processor to emulate (`ltc-edge targets`).",
)
@click.option(
    "--format",
    "formats",
    type=click.Choice([*FORMATS]),
    multiple=True,
    help="What to profile; repeatable. Without it, all formats.",
)
@fleet_options
@output_option(
    "Folder for profile.json, profile.csv and latency.png; with --targets for a folder of each device.",
    required=False,
)
@timing_options
@budget_options
@click.option(
    "--baseline",
    type=FILE,
    help="An earlier profile.json, or an earlier bundle, which is timed in turns: what is slower fails. "
    "With --targets, the folder of an earlier fleet, or an earlier bundle.",
)
@click.option(
    "--state",
    "states",
    multiple=True,
    callback=read_states,
    metavar="INPUT:OUTPUT",
    help="Of a MODEL of yours: an output that goes back into an input; repeatable.",
)
@click.option("--python", help="Python on the device. Without it, python3.")
@click.option("--remote-dir", help="Folder for files on the device. Without it, its temporary folder.")
@click.option(
    "--install", is_flag=True, help="Install missing runtimes on the device, in ~/.cache/ltc-edge/packages."
)
@click.option(
    "--c-flags", metavar="FLAGS", help="What C is compiled with. Without it, -std=c99 -O3 -ffp-contract=off."
)
@click.option(
    "--allow-throttled",
    is_flag=True,
    help="Do not fail where the device was throttled, or its frequency or clock moved.",
)
@trust_c_option
@click.option("--force", is_flag=True, help="Replace an earlier profile in the folder.")
@json_option
@click.pass_context
def command(context: click.Context, /, subject: Path, **said: Any) -> None:
    """Measure what a step of BUNDLE costs on a device: time, jitter, memory, and whether budgets are kept.

    \b
    ltc-edge profile BUNDLE
    ltc-edge profile BUNDLE --target ssh://pi@raspberrypi.local --rate 200 --fifo 50 --cpu 3
    ltc-edge profile BUNDLE --target cortex-m4 --format c-int16 --max-flash-bytes 8192
    ltc-edge profile model.onnx --state h_in:h_out
    ltc-edge profile BUNDLE --targets fleet.toml --format c-int16 -o fleet

    Over ssh the system's OpenSSH is used, with its configuration and keys. Exit code 1: a budget is broken,
    something became slower than in --baseline, the device was throttled, or one of --targets failed.
    """
    if said["fifo"] is not None and said["rate"] is None:
        raise click.UsageError("--fifo is for steps at a rate: say --rate too")
    if said["targets"] is None:
        refuse_without_fleet(said)
        _profile_one(subject, said)
        return
    if context.get_parameter_source("target") is not ParameterSource.DEFAULT:
        raise click.UsageError("--target is one device and --targets are many: say one of them")
    profile_targets(subject, said)


def _profile_one(subject: Path, said: Mapping[str, Any]) -> None:
    from ltc_edge.profiling.places import find_place
    from ltc_edge.profiling.profile import ProfileInterruptedError, profile
    from ltc_edge.profiling.profile_files import refuse_existing, refuse_inside, write_profile
    from ltc_edge.profiling.subject import read_profile_subject

    formats, output = said["formats"], said["output"]
    request = request_of(said, said["target"], find_place(said["target"]))
    if output is not None:
        refuse_inside(output, subject)
        refuse_existing(output, force=said["force"])
    what = read_profile_subject(subject, formats, said["states"], trust_c=said["trust_c"])
    interrupted: BaseException | None = None
    try:
        with ended_is_interrupted(), stages() as on_share:
            document = profile(what, request, on_share)
    except ProfileInterruptedError as error:
        document, interrupted = error.document, error.cause
    if output is not None:
        for note in write_profile(output, document):
            click.echo(f"Note: {note}", err=True)
    if said["as_json"]:
        print_json(document)
    else:
        print_profile(document, output)
    if interrupted is not None:
        raise interrupted
    _check(document, formats, allow_throttled=request.allow_throttled)


def _check(document: dict[str, Any], formats: tuple[str, ...], *, allow_throttled: bool) -> None:
    """Fail where something did not run, a budget is broken, or the figures cannot be trusted."""
    from ltc_edge.errors import CheckFailedError, InputError
    from ltc_edge.profiling.document import broken_checks, not_run

    if missing := not_run(document, formats):
        failed = any(document["formats"][line.partition(":")[0]]["status"] == "failed" for line in missing)
        raise (CheckFailedError if failed else InputError)(missing[0])
    if failures := broken_checks(document, allow_throttled=allow_throttled):
        for further in failures[1:]:
            click.echo(f"Failed: {further}", err=True)
        raise CheckFailedError(failures[0])
