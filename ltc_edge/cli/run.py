"""``ltc-edge run``."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ltc_edge.cli.options import FILE, Finite, json_option, stack
from ltc_edge.cli.output import one_line, print_json
from ltc_edge.cli.run_table import Progress, print_summary

if TYPE_CHECKING:
    from ltc_edge.controller import Controller
    from ltc_edge.deploy.run.page import Snapshot
    from ltc_edge.deploy.run.request import RunRequest

_loop_options = stack(
    [
        click.option(
            "--format",
            "form",
            type=click.Choice(["c-float32", "c-int16"]),
            help="Which of the bundle's formats in C. Without it, c-float32, or the only one there is.",
        ),
        click.option(
            "--rate",
            type=Finite(0.01, 100_000),
            metavar="HZ",
            help="Of the loop, instead of the controller's.",
        ),
        click.option(
            "--fifo",
            type=click.IntRange(1, 99),
            metavar="P",
            help="Run under SCHED_FIFO with this priority, memory locked.",
        ),
        click.option("--cpu", type=click.IntRange(0, 1023), metavar="N", help="Run on this processor alone."),
        click.option(
            "--spin",
            "spin_us",
            type=Finite(0, 1_000_000),
            default=0.0,
            metavar="US",
            help="Stay awake so many µs before each deadline: more exact, and a processor is busy.",
        ),
        click.option("--supervisor", type=FILE, metavar="FILE", help="Settings of the supervisor, TOML."),
        click.option("--arm", is_flag=True, help="Act as soon as every reading has come."),
        click.option("--shadow", is_flag=True, help="Compute and log, and let another's action through."),
        click.option("--bind", is_flag=True, help="Let other machines send readings."),
        click.option(
            "--trust-c",
            is_flag=True,
            help="Compile the bundle's own C, even where this version of ltc-edge writes other C.",
        ),
    ]
)


@click.command("run")
@click.argument("bundle", metavar="BUNDLE", type=FILE)
@click.option(
    "--io",
    metavar="URL",
    help="udp://HOST:PORT, serial:///dev/ttyX, can://can0, zenoh://KEY, dds://TOPIC, "
    "mavlink://udp:HOST:PORT, or lines.",
)
@_loop_options
@click.option("--log", type=FILE, metavar="FILE.mcap", help="Keep every step, for `ltc-edge replay`.")
@click.option(
    "--log-minutes",
    type=click.IntRange(1, 10_000),
    metavar="N",
    help="Log into FILE-0001.mcap, FILE-0002.mcap and so on, each of N minutes.",
)
@click.option(
    "--log-keep",
    type=click.IntRange(1, 10_000),
    metavar="N",
    help="Of these files so many stay; 24 unless said.",
)
@click.option("--force", is_flag=True, help="Replace an earlier log.")
@click.option(
    "--status", metavar="[HOST:]PORT", help="Serve a status page and metrics; 127.0.0.1 alone if no HOST."
)
@click.option("--duration", type=Finite(0.001, 1e9), metavar="S", help="End after so many seconds.")
@click.option("--bare", is_flag=True, help="Also time the controller alone: what all else costs.")
@click.option("--cache/--no-cache", default=True, help="Keep the program for the next run; or build it anew.")
@click.option(
    "--build", type=FILE, metavar="FOLDER", help="Write what rt_loop's Makefile needs, and run nothing."
)
@json_option
def command(bundle: Path, as_json: bool, **said: Any) -> None:
    """Run the controller of BUNDLE on this machine in real time, behind its supervisor.

    \b
    ltc-edge run BUNDLE --io udp://127.0.0.1:9000 --arm
    ltc-edge run BUNDLE --io serial:///dev/ttyACM0?baud=921600 --rate 500 --fifo 80 --cpu 3 --log run.mcap
    ltc-edge run BUNDLE --io zenoh://robot/arm --shadow --status 8080

    It starts disarmed: without --arm or --shadow, a request over the I/O or SIGUSR1 to the loop arms it.
    SIGTERM, Ctrl-C and the death of this process end it in the resting action. Exit code 1: the controller
    or the actuators were lost.
    """
    from ltc_edge.bundle.bundle import load_bundle
    from ltc_edge.deploy.linux.loop_source import loop_source
    from ltc_edge.deploy.run.program import loop_program, write_generated
    from ltc_edge.deploy.run.run import run_loop

    _refuse_odd(said)
    loaded = load_bundle(bundle)
    controller = loaded.controller
    request = _request(controller, said)
    step_s = request.period_s * request.every
    source = loop_source(loaded, said["form"], step_s, said["supervisor"], trust_c=said["trust_c"])
    if said["build"] is not None:
        write_generated(source, said["build"])
        click.echo(f"Wrote {', '.join(source.generated)} to {said['build']}.", err=True)
        return
    status_at = _status_address(said["status"])
    progress = Progress(controller, request, source.form, status_at)
    try:
        last = run_loop(
            loop_program(source, keep=said["cache"], on_note=_note),
            controller,
            request,
            status_at=status_at,
            on_start=progress.start,
            on_state=progress.state,
            on_complaint=_note,
        )
    except KeyboardInterrupt:
        _report(progress.last, controller, progress, as_json=as_json)
        raise
    _report(last, controller, progress, as_json=as_json)


def _note(line: str) -> None:
    click.echo(f"Note: {one_line(line)}", err=True)


def _refuse_odd(said: dict[str, Any]) -> None:
    from ltc_edge.errors import InputError

    if said["arm"] and said["shadow"]:
        raise click.UsageError("--arm and --shadow exclude each other")
    if said["build"] is not None:
        return
    if not said["io"]:
        raise click.UsageError("say where readings come from: --io udp://127.0.0.1:9000, for one")
    if not hasattr(os, "memfd_create"):
        raise InputError(
            "the loop needs Linux; on another system, --build FOLDER writes what it is built from"
        )
    if said["log_minutes"] is not None and (said["log"] is None or said["force"]):
        raise click.UsageError("--log-minutes numbers the files of a --log, and replaces none: no --force")
    if said["log_keep"] is not None and said["log_minutes"] is None:
        raise click.UsageError("--log-keep is for the files that --log-minutes makes")
    if said["log"] is not None and said["log_minutes"] is None:
        _refuse_log(said["log"], force=said["force"])


def _refuse_log(path: Path, *, force: bool) -> None:
    """Before anything is built; and a device such as /dev/full is not to be replaced by a file."""
    from ltc_edge.deploy.step_log.container import MAGIC
    from ltc_edge.errors import OutputError

    if path.exists() and not path.is_file():
        raise OutputError(f"{path}: exists and is not a regular file; choose another")
    if path.exists() and not force:
        raise OutputError(f"{path}: exists already; choose another, or replace it with --force")
    with contextlib.suppress(OSError), path.open("rb") as file:  # what cannot be opened is told by the loop
        if not MAGIC.startswith(file.read(len(MAGIC))):
            raise OutputError(f"{path}: exists already and is no log; choose another")


def _request(controller: Controller, said: dict[str, Any]) -> RunRequest:
    from ltc_edge.deploy.rate import plan_rate
    from ltc_edge.deploy.run.request import RunRequest

    period_s, every = controller.timing.period_s, 1
    if said["rate"] is not None:
        plan = plan_rate(controller.timing, said["rate"])
        period_s, every = plan.period_s, plan.every
    kept = {} if said["log_keep"] is None else {"log_keep": said["log_keep"]}
    return RunRequest(
        io=said["io"] or "lines",
        period_s=period_s,
        every=every,
        at_start="arm" if said["arm"] else "shadow" if said["shadow"] else None,
        fifo=said["fifo"],
        cpu=said["cpu"],
        spin_s=said["spin_us"] * 1e-6,
        bind=said["bind"],
        log=said["log"],
        log_minutes=said["log_minutes"],
        **kept,
        force=said["force"],
        duration_s=said["duration"],
        bare=said["bare"],
    )


def _status_address(said: str | None) -> tuple[str, int] | None:
    from ltc_edge.deploy.run.status_page import parse_status_address

    return None if said is None else parse_status_address(said)


def _report(last: Snapshot | None, controller: Controller, progress: Progress, *, as_json: bool) -> None:
    from ltc_edge.deploy.run.document import run_document

    progress.end()
    if last is None:
        return
    # Where standard output has the actions, it has nothing else.
    aside = last.where == "lines"
    if as_json:
        names = [[signal.name for signal in group] for group in (controller.observations, controller.actions)]
        document = progress.facts() | run_document(last, *names)
        if aside:
            click.echo(json.dumps(document, allow_nan=False), err=True)
        else:
            print_json(document)
    else:
        print_summary(last, controller, error=aside)
