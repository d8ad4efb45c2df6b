"""``ltc-edge deploy --to ssh://…``: onto machines with Linux."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from ltc_edge.cli.options import FILE, Finite, stack
from ltc_edge.cli.output import print_json, stages
from ltc_edge.deploy.linux.settings import (
    SERVICES,
    Checks,
    DeviceSettings,
    LoopSettings,
    Order,
    Signing,
    Start,
)

if TYPE_CHECKING:
    from ltc_edge.deploy.linux.fleet import Result
    from ltc_edge.deploy.linux.fleet_file import Target

SHARED = frozenset({"form", "rate", "supervisor", "trust_c", "dry_run"})
"""Options of every destination that mean something here."""

UPKEEP = ("status", "rollback", "remove")
DEFAULT_PARALLEL = 4

linux_options = stack(
    [
        click.option(
            "--to",
            multiple=True,
            metavar="ADDRESS",
            help="ssh://user@host[:port][/NAME], or @fleet.toml; repeatable.",
        ),
        click.option(
            "--group",
            "groups",
            multiple=True,
            metavar="NAME",
            help="Only devices of @fleet.toml in this group; repeatable.",
        ),
        click.option(
            "--io",
            default="udp://127.0.0.1:9000",
            show_default=True,
            metavar="URL",
            help="Where readings come from and actions go, on the device: see docs/run.md.",
        ),
        click.option(
            "--beyond-loopback", is_flag=True, help="Take readings from other machines than it too."
        ),
        click.option(
            "--start",
            type=click.Choice(get_args(Start)),
            default="disarmed",
            show_default=True,
            help="At the start: wait for who arms it; act; or compute only.",
        ),
        click.option("--fifo", type=click.IntRange(1, 99), help="Real-time priority, with locked memory."),
        click.option("--cpu", type=click.IntRange(0, 1023), help="Processor that it runs on."),
        click.option(
            "--log-minutes",
            type=click.IntRange(1, 10_000),
            metavar="N",
            help="Keep every step there, for `ltc-edge replay`, in files of N minutes.",
        ),
        click.option(
            "--log-keep",
            type=click.IntRange(1, 10_000),
            default=24,
            show_default=True,
            help="Files that stay.",
        ),
        click.option(
            "--service",
            type=click.Choice(SERVICES),
            default="systemd",
            show_default=True,
            help="Who starts it: systemd; that of the user; nobody but this command; nobody.",
        ),
        click.option("--sudo", is_flag=True, help="Do all of it as root there, by sudo -n."),
        click.option("--python", help="Python on the device. Without it, python3."),
        click.option("--root", help="Folder of deployments there. Without it, /opt/ltc-edge of root's."),
        click.option(
            "--keep", type=click.IntRange(2, 1000), default=3, show_default=True, help="Versions that stay."
        ),
        click.option(
            "--max-p99-us", type=Finite(min=0), help="Of a step there. Without it, half of the period."
        ),
        click.option("--no-profile", is_flag=True, help="Do not time a step there."),
        click.option(
            "--watch",
            type=Finite(0, 20),
            default=3.0,
            show_default=True,
            metavar="S",
            help="Seconds for which the new version must run, or the one before comes back.",
        ),
        click.option("--sign", type=FILE, metavar="KEY", help="Sign with this Ed25519 key of ssh-keygen."),
        click.option(
            "--verify-key",
            type=FILE,
            metavar="PUB",
            help="The device checks that this key signed it, and takes nothing else from then on.",
        ),
        click.option("--canary", metavar="NAME", help="The device that comes first, alone."),
        click.option(
            "--parallel",
            type=click.IntRange(1, 1000),
            help=f"Devices at once, after the first. Without it, {DEFAULT_PARALLEL}.",
        ),
        click.option("--status", is_flag=True, help="Say how it stands there; change nothing."),
        click.option("--rollback", is_flag=True, help="Go back to the version before."),
        click.option("--remove", is_flag=True, help="Stop it there, and remove all of its versions."),
    ]
)


def deploy_to_linux(bundle: Path | None, said: Mapping[str, Any]) -> None:
    """Deploy to every machine of ``--to``, or look after what is there.

    Raises:
        InputError: an address or the bundle cannot be used.
        CheckFailedError: it failed on some of several devices.
    """
    from ltc_edge.cli.deploy_linux_table import print_plan, print_results
    from ltc_edge.deploy.linux.fleet import run_fleet

    kind = _kind(bundle, said)
    targets, canary, parallel = _targets(said)
    prepared = None if bundle is None else _prepared(bundle, targets)
    if prepared is not None and said["dry_run"]:
        print_plan(prepared, targets, as_json=said["as_json"])
        return
    with stages() as on_share:
        jobs = _jobs(kind, prepared, targets, lambda step: on_share(step, 0.0))
        changes = kind != "status"
        results = run_fleet(
            jobs,
            canary=canary if changes else None,
            parallel=parallel,
            stop=changes,
        )
    if said["as_json"]:
        print_json({"action": kind, "devices": [result.to_json() for result in results]})
    else:
        print_results(kind, results)
    _check(kind, results)


def _kind(bundle: Path | None, said: Mapping[str, Any]) -> str:
    """What is to be done: ``deploy``, or one of `UPKEEP`."""
    upkeep = [name for name in UPKEEP if said[name]]
    if len(upkeep) > 1:
        raise click.UsageError(f"{' and '.join(f'--{name}' for name in upkeep)} exclude each other")
    if (bundle is None) != bool(upkeep):
        raise click.UsageError(
            "say which bundle: ltc-edge deploy BUNDLE --to ..."
            if bundle is None
            else f"--{upkeep[0]} takes no bundle"
        )
    if upkeep and said["dry_run"]:
        raise click.UsageError(f"--dry-run is for deploying; --{upkeep[0]} has no plan to print")
    return upkeep[0] if upkeep else "deploy"


def _targets(said: Mapping[str, Any]) -> tuple[list[Target], str | None, int]:
    """Devices, the canary, and how many at once."""
    from ltc_edge.deploy.linux.address import find_address
    from ltc_edge.deploy.linux.fleet_file import Target, read_fleet

    order = _order(said)
    targets: list[Target] = []
    if said["groups"] and not any(address.startswith("@") for address in said["to"]):
        raise click.UsageError("--group chooses among the devices of --to @fleet.toml")
    canary, parallel = said["canary"], said["parallel"]
    for address in said["to"]:
        if address.startswith("@"):
            fleet = read_fleet(Path(address.removeprefix("@")), order, said["groups"])
            targets += fleet.targets
            canary = canary or fleet.canary
            parallel = parallel or fleet.parallel
        else:
            targets.append(Target(address, find_address(address), order))
    return targets, canary, parallel or DEFAULT_PARALLEL


def _order(said: Mapping[str, Any]) -> Order:
    loop = LoopSettings(
        io=said["io"],
        rate_hz=said["rate"],
        supervisor=said["supervisor"],
        fifo=said["fifo"] or 0,
        cpu=said["cpu"],
        beyond_loopback=said["beyond_loopback"],
        start=said["start"],
        log_minutes=said["log_minutes"],
        log_keep=said["log_keep"],
    )
    device = DeviceSettings(said["python"], said["root"], said["service"], said["sudo"], said["keep"])
    checks = Checks(said["max_p99_us"], not said["no_profile"], watch_s=said["watch"])
    return Order(
        loop, said["form"], said["trust_c"], checks, device, Signing(said["sign"], said["verify_key"])
    )


def _prepared(path: Path, targets: list[Target]) -> dict[str, Any]:
    """What every device gets, by its label: all is checked before the first is asked."""
    from ltc_edge.bundle.bundle import load_bundle
    from ltc_edge.deploy.linux.deployment import prepare

    bundle = load_bundle(path)
    return {target.label: prepare(bundle, target.order) for target in targets}


def _jobs(kind: str, prepared: dict[str, Any] | None, targets: list[Target], on_step: Any) -> list[Any]:
    from ltc_edge.deploy.linux import upkeep
    from ltc_edge.deploy.linux.deployment import deploy
    from ltc_edge.deploy.linux.fleet import Job

    def job(target: Target) -> Job:
        def say(step: str) -> None:
            on_step(step if len(targets) == 1 else f"{target.label}: {step}")

        if prepared is not None:
            ready = prepared[target.label]
            return Job(target.label, lambda: deploy(ready, target.address, say))
        act = getattr(upkeep, kind)
        order = target.order
        return Job(target.label, lambda: act(target.address, order.device, order.checks, say))

    return [job(target) for target in targets]


def _check(kind: str, results: list[Result]) -> None:
    """Fail where a device did; of several, all are in the table.

    Raises:
        LtcEdgeError: one failed.
    """
    from ltc_edge.deploy.linux.upkeep import refuse_broken
    from ltc_edge.errors import CheckFailedError

    failed = [result for result in results if result.error is not None]
    if len(results) == 1 and failed:
        assert failed[0].error is not None
        raise failed[0].error
    if failed:
        untouched = sum(result.outcome == "untouched" for result in results)
        raise CheckFailedError(
            f"{kind}: {len(failed)} of {len(results)} devices failed, {untouched} were left untouched; "
            f"the first is {failed[0].label}: {failed[0].error}"
        )
    if kind == "status":
        for result in results:
            refuse_broken(result.report)
