"""``ltc-edge profile --targets``: many devices, side by side."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ltc_edge.cli.output import console, one_line, print_json
from ltc_edge.cli.profile_fleet_table import print_fleet
from ltc_edge.cli.profile_options import DEFAULT_DEVICE_TIMEOUT_S, DEFAULT_PARALLEL, request_of
from ltc_edge.cli.signals import ended_is_interrupted

if TYPE_CHECKING:
    from ltc_edge.profiling.fleet.devices import FleetDevice
    from ltc_edge.profiling.fleet.document import FleetFindings
    from ltc_edge.profiling.fleet.run import FleetRun, Outcome
    from ltc_edge.profiling.request import Request
    from ltc_edge.profiling.subject import Subject


def profile_targets(path: Path, said: Mapping[str, Any]) -> None:
    """Profile a bundle or a model on every device of ``--targets``.

    Args:
        path: of the bundle or the model.
        said: the options.

    Raises:
        InputError: the file, the bundle or a device in it cannot be used; none was asked.
        CheckFailedError: one failed, or something does not hold of one.
        KeyboardInterrupt: the user ended it; what was measured was kept.
    """
    from ltc_edge.profiling.fleet.document import fleet_document, fleet_findings
    from ltc_edge.profiling.fleet.files import write_fleet
    from ltc_edge.profiling.places import Local
    from ltc_edge.profiling.subject import BundleSubject, read_profile_subject
    from ltc_edge.targets.fleet import read_fleet_table

    formats, output = said["formats"], said["output"]
    table = read_fleet_table(said["targets"], said["groups"])
    # Of the target each device has its own.
    common = request_of({**said, "baseline": None}, "", Local())
    subject = read_profile_subject(path, formats, said["states"], trust_c=said["trust_c"])
    names = [*subject.artifacts] if isinstance(subject, BundleSubject) else [path.name]
    devices, new = _devices(said, table, common, names)
    if output is not None:
        _refuse_output(output, path, devices, force=said["force"])
    run = _measure(subject, devices, said, said["parallel"] or table.parallel or DEFAULT_PARALLEL)
    if run.interrupted and not any(outcome.document for outcome in run.outcomes):
        raise KeyboardInterrupt
    findings = fleet_findings(run, formats, new)
    document = fleet_document(subject, common, said["baseline"], findings)
    if output is not None:
        for note in write_fleet(output, document):
            click.echo(f"Note: {note}", err=True)
    if said["as_json"]:
        print_json(document)
    else:
        print_fleet(document["subject"]["name"], findings, output)
    if run.interrupted:
        raise KeyboardInterrupt
    _check(findings)


def _devices(
    said: Mapping[str, Any], table: Any, common: Request, names: Sequence[str]
) -> tuple[list[FleetDevice], tuple[str, ...]]:
    """What is asked of each device, and labels of those that a baseline says nothing of."""
    from ltc_edge.profiling.fleet.baseline import with_baseline
    from ltc_edge.profiling.fleet.devices import fleet_devices

    devices = fleet_devices(table, common)
    return (devices, ()) if said["baseline"] is None else with_baseline(devices, said["baseline"], names)


def _refuse_output(folder: Path, subject: Path, devices: Sequence[FleetDevice], *, force: bool) -> None:
    from ltc_edge.profiling.fleet.files import refuse_fleet_folder
    from ltc_edge.profiling.profile_files import refuse_inside

    refuse_inside(folder, subject)
    refuse_fleet_folder(folder, [device.label for device in devices], force=force)


def _measure(
    subject: Subject, devices: Sequence[FleetDevice], said: Mapping[str, Any], parallel: int
) -> FleetRun:
    from ltc_edge.profiling.fleet.run import profile_fleet
    from ltc_edge.profiling.profile_files import write_profile

    output = said["output"]
    with ended_is_interrupted(), _progress(len(devices)) as (on_share, on_done):

        def keep(outcome: Outcome) -> None:
            """At once: nothing that happens to another device may take it."""
            on_done(outcome.device.label, outcome.error)
            if output is not None and outcome.document is not None:
                write_profile(output / outcome.device.label, outcome.document)

        return profile_fleet(
            subject,
            devices,
            parallel=parallel,
            timeout_s=said["device_timeout"] or DEFAULT_DEVICE_TIMEOUT_S,
            on_share=on_share,
            on_done=keep,
        )


OnShare = Callable[[str, str, float], None]
OnDone = Callable[[str, str | None], None]


@contextmanager
def _progress(devices: int) -> Iterator[tuple[OnShare, OnDone]]:
    """A bar for the fleet and one for each device that runs, on standard error; silent where that is no
    terminal. A failure is said when it happens, since the others may take long."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn()
    shown = sys.stderr.isatty()
    with Progress(*columns, console=console(error=True), transient=True, disable=not shown) as progress:
        whole = progress.add_task(f"{devices} devices", total=devices)
        bars: dict[str, Any] = {}
        lock = threading.Lock()

        def on_share(label: str, stage: str, share: float) -> None:
            with lock:
                if label not in bars:
                    bars[label] = progress.add_task(label, total=1.0)
            progress.update(bars[label], description=f"{label}: {stage}", completed=share)

        def on_done(label: str, error: str | None) -> None:
            with lock:
                if label in bars:
                    progress.remove_task(bars.pop(label))
            progress.advance(whole)
            if shown and error is not None:
                progress.console.print(one_line(f"{label}: {error}"))

        yield on_share, on_done


def _check(findings: FleetFindings) -> None:
    """Fail where a device did, or where something does not hold.

    Raises:
        CheckFailedError: there is such a device.
    """
    from ltc_edge.errors import CheckFailedError

    lines = [(device.label, line) for device in findings.devices for line in device.failures]
    for label, line in lines:
        click.echo(one_line(f"Failed: {label}: {line}"), err=True)
    failed = findings.failed
    if failed:
        label, first = failed[0].label, failed[0].error or next(iter(failed[0].failures), "was not begun")
        raise CheckFailedError(
            f"{len(failed)} of {len(findings.devices)} devices failed; the first is {label}: {first}"
        )
