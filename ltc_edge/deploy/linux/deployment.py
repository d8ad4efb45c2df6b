"""One deployment onto one device, step by step; until the switch, nothing that runs is touched."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ltc_edge.bundle.bundle import Bundle
from ltc_edge.bundle.folder import MANIFEST
from ltc_edge.deploy.linux.address import Address, default_name
from ltc_edge.deploy.linux.build import PROGRAM, Program, build_for
from ltc_edge.deploy.linux.device.systemd import unit_name
from ltc_edge.deploy.linux.device_link import Device, connected
from ltc_edge.deploy.linux.loop_service import SELFTEST, LoopService, loop_service
from ltc_edge.deploy.linux.package import Package, make_package
from ltc_edge.deploy.linux.settings import Order
from ltc_edge.deploy.linux.signing import public_key, signed
from ltc_edge.deploy.linux.step_time import measure_step
from ltc_edge.deploy.linux.unit import Unit, unit_text
from ltc_edge.errors import CheckFailedError, DeviceError

OnStep = Callable[[str], None]
"""Told what is done next."""

SUPERVISOR, LOG = "supervisor.json", "steps.mcap"


@dataclass(frozen=True)
class Ready:
    """A bundle that can be deployed with these settings, checked before any device is asked.

    Attributes:
        bundle: the bundle.
        order: what to do.
        service: its program, and how it is called.
        public_key: to pin on the device; None for none.
    """

    bundle: Bundle
    order: Order
    service: LoopService
    public_key: str | None


def prepare(bundle: Bundle, order: Order) -> Ready:
    """Check everything that can be checked here.

    Raises:
        InputError, BundleError: see `loop_service`; or a key cannot be read.
    """
    service = loop_service(bundle, order.form, order.loop, trust_c=order.trust_c)
    verify_key = order.signing.verify_key
    return Ready(bundle, order, service, None if verify_key is None else public_key(verify_key))


def deploy(ready: Ready, address: Address, on_step: OnStep) -> dict[str, Any]:
    """Deploy onto one device; what was done, as ``docs/deploy.md`` says it.

    Raises:
        InputError: the device does not fit.
        DeviceError: it does not answer, or refuses.
        CheckFailedError: the selftest or the profile failed, or the new version did not run: the version
            before does again.
    """
    order, name = ready.order, address.name or default_name(ready.bundle.controller.name)
    on_step("connect")
    with connected(address.remote, order.device) as device:
        device.refuse_system_unit(order.device.service)
        on_step("build")
        source = ready.service.source
        program = build_for(device.link, device.inventory, source.tree(), source.variables())
        on_step("lock")
        opened = device.open(name, order.checks, change=True)
        package = _package(ready, program, name, opened["root"], device.inventory["machine"])
        before = device.ask("deploy-status")
        report = {
            "address": address.text,
            "name": name,
            "version": package.identity,
            "before": before["current"],
            "recovered": opened["recovered"],
            "built_by": program.built_by,
            "signed": package.signature is not None,
        }
        if ready.public_key is not None:
            device.ask("deploy-pin", key=ready.public_key)
        return report | _bring(device, ready, package, on_step)


def _bring(device: Device, ready: Ready, package: Package, on_step: OnStep) -> dict[str, Any]:
    """Upload, check, switch, tidy."""
    order, where = ready.order, device.link.name
    on_step("upload")
    device.send(package, frozenset({PROGRAM}))
    on_step("selftest")
    tested = device.ask("deploy-selftest", id=package.identity)
    if not tested["passed"]:
        raise CheckFailedError(
            f"{where}: the selftest failed there ({tested['detail']}); what ran before runs still"
        )
    timed = None
    if order.checks.profile:
        on_step("profile")
        service, loop = ready.service, order.loop
        controller = ready.bundle.controller
        timed = measure_step(
            device, service.source.artifact, controller, order.checks, service.rate.step_s, loop.cpu
        )
    on_step("keep")
    kept = device.ask("deploy-keep", id=package.identity)
    on_step("switch")
    switched = _switch(device, package.identity, order)
    on_step("prune")
    pruned = device.ask("deploy-prune", keep=order.device.keep)
    return {
        "step_us": None if timed is None else timed.to_json(),
        "already": kept["already"],
        "current": switched["current"],
        "removed": pruned["removed"],
    }


def _switch(device: Device, identity: str, order: Order) -> dict[str, Any]:
    checks = order.checks
    within_s = 2 * (checks.ready_s + checks.watch_s)
    try:
        switched = device.ask("deploy-switch", within_s=within_s, id=identity)
    except DeviceError as error:
        # Where the connection ended the device goes on by itself, and nobody here hears its answer.
        raise DeviceError(f"{error}; --status says what runs there now") from None
    refuse_unswitched(device.link.name, identity, switched)
    return switched


def refuse_unswitched(where: str, identity: str, switched: Mapping[str, Any]) -> None:
    """Say why a version does not run.

    Raises:
        CheckFailedError: it does not.
    """
    if switched["switched"]:
        return
    current, why = switched["current"], switched["restored"]
    now = f"{current} runs again" if current else "nothing runs, as before"
    if current and why:
        now = f"and {current}, which ran before, does not start any more either: {why}"
    raise CheckFailedError(f"{where}: version {identity} did not run: {switched['detail']}; {now}")


def _package(ready: Ready, program: Program, name: str, root: str, machine: str) -> Package:
    """The files for one device."""
    order, loop = ready.order, ready.order.loop
    arguments = [*ready.service.arguments, *_log_arguments(order, name, root)]
    files = {
        PROGRAM: program.content,
        MANIFEST: (ready.bundle.path / MANIFEST).read_bytes(),
        SUPERVISOR: (json.dumps(ready.service.source.settings.to_json(), indent=2) + "\n").encode(),
    }
    service = order.device.service
    if service.startswith("systemd"):
        period_s = ready.service.rate.period_s
        unit = Unit(name, f"{root}/{name}/current", arguments, period_s, service == "systemd-user")
        files[unit_name(name)] = unit_text(unit, loop).encode()
    about = {
        "bundle": ready.bundle.manifest_sha256(),
        "controller": ready.bundle.controller.name,
        "format": ready.service.source.form,
        "machine": machine,
        "period_s": ready.service.rate.period_s,
        "every": ready.service.rate.every,
    }
    package = make_package(
        files, name=name, service=service, arguments=arguments, selftest=SELFTEST, about=about
    )
    key = order.signing.key
    return package if key is None else signed(package, key)


def _log_arguments(order: Order, name: str, root: str) -> list[str]:
    """Where the loop keeps its steps: a unit of the system in its state folder, others beside versions."""
    loop = order.loop
    if loop.log_minutes is None:
        return []
    folder = f"/var/lib/ltc-edge/{name}" if order.device.service == "systemd" else f"{root}/{name}/log"
    minutes, keep = str(loop.log_minutes), str(loop.log_keep)
    return ["--log", f"{folder}/{LOG}", "--log-minutes", minutes, "--log-keep", keep]
