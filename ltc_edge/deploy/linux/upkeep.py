"""What else is asked of a device: how it stands, the version before, nothing any more."""

from __future__ import annotations

from typing import Any

from ltc_edge.deploy.linux.address import Address
from ltc_edge.deploy.linux.deployment import OnStep, refuse_unswitched
from ltc_edge.deploy.linux.device_link import connected
from ltc_edge.deploy.linux.settings import Checks, DeviceSettings
from ltc_edge.errors import CheckFailedError


def status(address: Address, settings: DeviceSettings, checks: Checks, on_step: OnStep) -> dict[str, Any]:
    """How a deployment stands; nothing is changed.

    Raises:
        DeviceError: the device does not answer, or has no such deployment.
        CheckFailedError: its current version is not whole.
    """
    on_step("connect")
    with connected(address.remote, settings) as device:
        name = device.choose_name(address.name)
        device.open(name, checks, change=False)
        return {"address": address.text, "name": name, **device.ask("deploy-status")}


def refuse_broken(found: dict[str, Any]) -> None:
    """Say it where the current version is not whole.

    Raises:
        CheckFailedError: it is not.
    """
    for version in found["versions"]:
        if version["id"] == found["current"] and not version["whole"]:
            raise CheckFailedError(
                f"{found['address']}: the current version of {found['name']} is not whole: "
                f"{version['faults'][0]}; deploy it again"
            )


def rollback(address: Address, settings: DeviceSettings, checks: Checks, on_step: OnStep) -> dict[str, Any]:
    """Back to the version before, which is watched as a new one is.

    Raises:
        DeviceError: the device does not answer, or has no version before.
        CheckFailedError: that one did not run.
    """
    on_step("connect")
    with connected(address.remote, settings) as device:
        name = device.choose_name(address.name)
        on_step("lock")
        device.open(name, checks, change=True)
        before = device.ask("deploy-status")["current"]
        on_step("switch")
        switched = device.ask("deploy-rollback", within_s=2 * (checks.ready_s + checks.watch_s))
        refuse_unswitched(device.link.name, switched["to"], switched)
        return {"address": address.text, "name": name, "before": before, "current": switched["current"]}


def remove(address: Address, settings: DeviceSettings, checks: Checks, on_step: OnStep) -> dict[str, Any]:
    """Stop what runs, which ends in its resting action, and remove all of its versions.

    Raises:
        DeviceError: the device does not answer, or has no such deployment.
    """
    on_step("connect")
    with connected(address.remote, settings) as device:
        name = device.choose_name(address.name)
        on_step("remove")
        device.open(name, checks, change=True)
        return {"address": address.text, "name": name, **device.ask("deploy-remove")}
