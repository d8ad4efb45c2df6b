"""``ltc-edge profile``."""

from __future__ import annotations

import shlex
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ltc_edge.cli.options import FILE, Finite, json_option, output_option, stack, trust_c_option
from ltc_edge.cli.output import print_json, stages
from ltc_edge.cli.profile_table import print_profile
from ltc_edge.export.formats import FORMATS

if TYPE_CHECKING:
    from ltc_edge.profiling.request import Request
    from ltc_edge.profiling.settings import Settings

MOST_PERIODS = 10_000_000
"""Of a paced run: what a small device has the memory for."""


def _states(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Callback: pairs such as in:out. TensorFlow's names end in a colon and a number."""
    pairs = []
    for value in values:
        parts = value.split(":")
        middle = len(parts) // 2
        if len(parts) % 2 or not all(parts):
            raise click.BadParameter(f"{value!r} is not a pair INPUT:OUTPUT such as h_in:h_out")
        pairs.append((":".join(parts[:middle]), ":".join(parts[middle:])))
    return tuple(pairs)


_COUNT = click.IntRange(min=0)
_budget_options = stack(
    [
        click.option(f"--{name}", type=kind, help=f"Budget: {what}")
        for name, kind, what in (
            ("max-p99-us", Finite(min=0), "microseconds of a step at p99."),
            ("max-p999-us", Finite(min=0), "microseconds of a step at p99.9."),
            (
                "max-deadline-misses",
                _COUNT,
                "missed periods of the worst paced run (with --fifo, of its runs).",
            ),
            ("max-flash-bytes", _COUNT, "code and constants, of firmware."),
            ("max-ram-bytes", _COUNT, "variables and a context, of firmware."),
            ("max-stack-bytes", _COUNT, "stack of a step, of firmware."),
            ("max-instructions", _COUNT, "instructions of the longest step, of firmware."),
            ("max-error", Finite(min=0), "error of an action, in the actuator's unit."),
        )
    ]
)

_timing_options = stack(
    [
        click.option(
            "--iterations",
            type=click.IntRange(100, 10_000_000),
            default=20_000,
            show_default=True,
            help="Steps to time, for each format.",
        ),
        click.option(
            "--seconds",
            type=Finite(0.01, 3600),
            default=2.0,
            show_default=True,
            help="The most that these steps may take, for each format.",
        ),
        click.option(
            "--warmup",
            type=click.IntRange(0, 1_000_000),
            default=500,
            show_default=True,
            help="Steps before these, which are not counted.",
        ),
        click.option(
            "--rounds",
            type=click.IntRange(2, 1000),
            default=20,
            show_default=True,
            help="In which formats take turns; more of them tell smaller differences from --baseline.",
        ),
        click.option(
            "--rate",
            type=Finite(0.1, 100_000),
            metavar="HZ",
            help="Also step at this rate, idle and under load, and count missed periods.",
        ),
        click.option(
            "--paced-seconds",
            type=Finite(0.1, 3600),
            default=3.0,
            show_default=True,
            help="Seconds of each run at --rate.",
        ),
        click.option(
            "--fifo",
            type=click.IntRange(1, 99),
            help="With --rate: also as a real-time process of this SCHED_FIFO priority, memory locked.",
        ),
        click.option(
            "--cpu",
            type=click.IntRange(0, 4095),
            help="Processor that steps run on. Without it, the last one.",
        ),
    ]
)


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
@output_option("Folder for profile.json, profile.csv and latency.png.", required=False)
@_timing_options
@_budget_options
@click.option(
    "--baseline",
    type=FILE,
    help="An earlier profile.json, or an earlier bundle, which is timed in turns: what is slower fails.",
)
@click.option(
    "--state",
    "states",
    multiple=True,
    callback=_states,
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
def command(
    subject: Path,
    target: str,
    formats: tuple[str, ...],
    output: Path | None,
    states: tuple[tuple[str, str], ...],
    trust_c: bool,
    force: bool,
    as_json: bool,
    **said: Any,
) -> None:
    """Measure what a step of BUNDLE costs on a device: time, jitter, memory, and whether budgets are kept.

    \b
    ltc-edge profile BUNDLE
    ltc-edge profile BUNDLE --target ssh://pi@raspberrypi.local --rate 200 --fifo 50 --cpu 3
    ltc-edge profile BUNDLE --target cortex-m4 --format c-int16 --max-flash-bytes 8192
    ltc-edge profile model.onnx --state h_in:h_out

    Over ssh the system's OpenSSH is used, with its configuration and keys. Exit code 1: a budget is broken,
    something became slower than in --baseline, or the device was throttled.
    """
    from ltc_edge.profiling.profile import ProfileInterruptedError, profile
    from ltc_edge.profiling.profile_files import refuse_existing, refuse_inside, write_profile
    from ltc_edge.profiling.subject import read_profile_subject

    if said["fifo"] is not None and said["rate"] is None:
        raise click.UsageError("--fifo is for steps at a rate: say --rate too")
    request = _request(target, said)
    if output is not None:
        refuse_inside(output, subject)
        refuse_existing(output, force=force)
    what = read_profile_subject(subject, formats, states, trust_c=trust_c)
    interrupted: BaseException | None = None
    try:
        with _ended_is_interrupted(), stages() as on_share:
            document = profile(what, request, on_share)
    except ProfileInterruptedError as error:
        document, interrupted = error.document, error.cause
    if output is not None:
        for note in write_profile(output, document):
            click.echo(f"Note: {note}", err=True)
    if as_json:
        print_json(document)
    else:
        print_profile(document, output)
    if interrupted is not None:
        raise interrupted
    _check(document, formats, allow_throttled=request.allow_throttled)


@contextmanager
def _ended_is_interrupted() -> Iterator[None]:
    """SIGTERM and SIGHUP are Ctrl-C meanwhile: folders go, and what was measured is kept."""
    numbers = [n for n in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(n) is signal.SIG_DFL]
    for number in numbers:
        signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        for number in numbers:
            signal.signal(number, signal.SIG_DFL)


def _request(target: str, said: dict[str, Any]) -> Request:
    from ltc_edge.profiling.places import find_place
    from ltc_edge.profiling.request import Request

    return Request(
        target=target,
        place=find_place(target),
        settings=_settings(said),
        limits=_limits(said),
        baseline=said["baseline"],
        python=said["python"],
        folder=said["remote_dir"],
        install=said["install"],
        allow_throttled=said["allow_throttled"],
    )


def _settings(said: dict[str, Any]) -> Settings:
    from ltc_edge.profiling.settings import Settings

    chosen = {
        "iterations": said["iterations"],
        "seconds": said["seconds"],
        "warmup": said["warmup"],
        "rounds": said["rounds"],
        "rate_hz": said["rate"],
        "paced_seconds": said["paced_seconds"],
        "fifo": said["fifo"] or 0,
        "cpu": said["cpu"],
    }
    if said["c_flags"] is not None:
        try:
            chosen["compiler_flags"] = tuple(shlex.split(said["c_flags"]))
        except ValueError as error:
            raise click.UsageError(f"--c-flags cannot be read: {error}") from None
    settings = Settings(**chosen)
    if settings.periods > MOST_PERIODS:
        raise click.UsageError(f"{settings.periods:,} periods are too many; at most {MOST_PERIODS:,}")
    return settings


def _limits(said: dict[str, Any]) -> dict[str, float]:
    from ltc_edge.profiling.budgets import BUDGETS

    limits = {name: said[name.replace("-", "_")] for name in BUDGETS}
    return {name: limit for name, limit in limits.items() if limit is not None}


def _check(document: dict[str, Any], formats: tuple[str, ...], *, allow_throttled: bool) -> None:
    """Fail where something did not run, a budget is broken, or the figures cannot be trusted."""
    from ltc_edge.errors import CheckFailedError, InputError
    from ltc_edge.profiling.baseline import regressions
    from ltc_edge.profiling.budgets import broken
    from ltc_edge.profiling.document import not_run

    if missing := not_run(document, formats):
        failed = any(document["formats"][line.partition(":")[0]]["status"] == "failed" for line in missing)
        raise (CheckFailedError if failed else InputError)(missing[0])
    failures = [] if allow_throttled else list(document["problems"])
    if failures:
        failures[0] += "; --allow-throttled lets it pass"
    failures += broken(document["budgets"])
    failures += [] if document["baseline"] is None else regressions(document["baseline"])
    if failures:
        for further in failures[1:]:
            click.echo(f"Failed: {further}", err=True)
        raise CheckFailedError(failures[0])
