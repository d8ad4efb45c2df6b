"""What ``ltc-edge deploy --to`` prints."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from ltc_edge.cli.output import console, one_line, print_json

if TYPE_CHECKING:
    from ltc_edge.deploy.linux.deployment import Ready
    from ltc_edge.deploy.linux.fleet import Result
    from ltc_edge.deploy.linux.fleet_file import Target

STEPS = (
    "connect, and take the lock",
    "build the loop program, static, by a compiler here; else by the device's",
    "upload beside what runs; every file is read back and compared by SHA-256",
    "run the selftest there",
    "time a step there",
    "keep the version; switch; restart; watch; go back where it does not run",
)


def print_plan(prepared: dict[str, Ready], targets: list[Target], *, as_json: bool) -> None:
    """What would be done on each device; none was asked."""
    from ltc_edge.deploy.linux.address import default_name

    plans: list[dict[str, Any]] = []
    for target in targets:
        ready = prepared[target.label]
        order = ready.order
        plans.append(
            {
                "device": target.label,
                "name": target.address.name or default_name(ready.bundle.controller.name),
                "bundle": str(ready.bundle.path),
                "format": ready.service.source.form,
                "arguments": list(ready.service.arguments),
                "service": order.device.service,
                "keep": order.device.keep,
                "sign": None if order.signing.key is None else str(order.signing.key),
                "profile": order.checks.profile,
            }
        )
    if as_json:
        print_json({"action": "dry-run", "devices": plans, "steps": list(STEPS)})
        return
    for plan in plans:
        click.echo(f"{plan['device']}: {plan['name']}, {plan['format']} of {plan['bundle']}")
        click.echo(f"  {plan['service']} starts: {' '.join(map(one_line, plan['arguments']))}")
    click.echo("The steps, on each device:")
    for number, step in enumerate(STEPS, 1):
        click.echo(f"  {number}. {step}")
    click.echo("Nothing was done.")


def print_results(kind: str, results: list[Result]) -> None:
    """A table of devices; of one device, what there is to say of it."""
    if kind == "status":
        for result in results:
            if result.outcome == "done":
                _print_status(result.report)
            elif len(results) > 1:
                click.echo(f"{result.label}: {result.error}")
        return
    if len(results) == 1:
        if results[0].outcome == "done":
            _print_one(kind, results[0].report)
        return
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for name in ("device", "outcome", "version", "step p99", ""):
        table.add_column(name)
    for result in results:
        report = result.report
        step = report.get("step_us")
        table.add_row(
            result.label,
            result.outcome,
            report.get("current") or "",
            f"{step['p99_us']:.3g} µs" if step else "",
            "" if result.error is None else one_line(str(result.error)),
        )
    console().print(table)


def _print_one(kind: str, report: dict[str, Any]) -> None:
    where = f"{report['address']}/{report['name']}"
    if kind == "remove":
        removed = len(report["removed"])
        click.echo(f"{where}: stopped, and {removed} version{'' if removed == 1 else 's'} removed.")
        return
    if kind == "rollback":
        click.echo(f"{where}: {report['current']} runs again, {report['before']} does not.")
        return
    if report["recovered"]:
        click.echo(f"Before anything else: {one_line(report['recovered'])}.")
    again = ", which was there already" if report["already"] else ""
    click.echo(
        f"{where}: version {report['current']} runs{again}; before it was {report['before'] or 'nothing'}."
    )
    step = report["step_us"]
    if step is not None:
        click.echo(
            f"A step takes {step['p50_us']:.3g} µs there, {step['p99_us']:.3g} µs at p99; "
            f"{step['limit_us']:.4g} µs are allowed."
        )
        for problem in step["problems"]:
            click.echo(f"Note: {one_line(problem)}", err=True)
    click.echo("How it stands: --status in the place of the bundle; the version before: --rollback.")


def _print_status(report: dict[str, Any]) -> None:
    click.echo(f"{report['address']}/{report['name']}")
    service = report["service"]
    if service is not None:
        runs = f", version {service['version']} as process {service['pid']}" if service["pid"] else ""
        last = f", last exit: {one_line(str(service['last_exit']))}" if service["last_exit"] else ""
        click.echo(f"  {service['kind']}: {service['state']}{runs}{last}")
    if report["unfinished"]:
        click.echo("  a switch was cut off, or is being made; the next deployment puts it in order")
    if report["signed_by"]:
        click.echo(f"  takes only what is signed by {one_line(report['signed_by'])}")
    for version in report["versions"]:
        marks = [mark for mark in ("current", "previous") if report[mark] == version["id"]]
        whole = "whole" if version["whole"] else f"NOT WHOLE: {one_line(version['faults'][0])}"
        when = time.strftime("%Y-%m-%d %H:%M", time.gmtime(version["modified"]))
        click.echo(f"  {version['id']}  {when}  {whole}  {' '.join(marks)}".rstrip())
