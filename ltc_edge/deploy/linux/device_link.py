"""A device that is deployed to: the agent there, with what it needs for it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ltc_edge.deploy.linux.package import Package
from ltc_edge.deploy.linux.settings import Checks, DeviceSettings
from ltc_edge.errors import DeviceError, InputError
from ltc_edge.profiling.agent_link import AgentLink, RemoteError
from ltc_edge.profiling.linux import connect
from ltc_edge.profiling.places import Local, Remote

DEVICE_PACKAGE = "ltc_edge.deploy.linux.device"
ROOT_OF_SYSTEM, ROOT_OF_USER = "/opt/ltc-edge", "~/.local/share/ltc-edge"
SLACK_S = 90.0
"""For what a request takes on the device besides what it is told to wait for."""


class Device:
    """A connection, and what was asked over it.

    Attributes:
        link: to the agent.
        inventory: what is there, as `profile` asks for it.
        root: folder of deployments.
        names: what is deployed there.
    """

    def __init__(self, link: AgentLink, settings: DeviceSettings) -> None:
        self.link = link
        self.inventory = connect(link, [])
        found = self.ask("deploy-names", root=settings.root or ROOT_OF_USER)
        self._is_root = found["user"] == 0
        self.root = settings.root or (ROOT_OF_SYSTEM if self._is_root else ROOT_OF_USER)
        self.names: list[str] = self.ask("deploy-names", root=self.root)["names"]

    def ask(self, request: str, block: bytes = b"", *, within_s: float = 0.0, **said: Any) -> dict[str, Any]:
        """What the device answers.

        Raises:
            DeviceError: that it will not, or nothing.
        """
        try:
            found, _ = self.link.request({"request": request, **said}, block, SLACK_S + within_s)
        except RemoteError as error:
            raise DeviceError(f"{self.link.name}: {error}") from None
        found.pop("number", None)
        return found

    def open(self, name: str, checks: Checks, *, change: bool) -> dict[str, Any]:
        """Open a deployment; see the request on the device."""
        return self.ask(
            "deploy-open",
            within_s=checks.lock_s + checks.ready_s + checks.watch_s,
            root=self.root,
            name=name,
            change=change,
            lock_s=checks.lock_s,
            ready_s=checks.ready_s,
            watch_s=checks.watch_s,
        )

    def send(self, package: Package, programs: frozenset[str]) -> None:
        """Upload a deployment; the files in ``programs`` may be started."""
        for name, content in package.sent().items():
            digest = hashlib.sha256(content).hexdigest()
            self.ask("deploy-file", content, name=name, sha256=digest, executable=name in programs)

    def refuse_system_unit(self, service: str) -> None:
        """Refuse early what needs another user.

        Raises:
            InputError: a unit of the system, by somebody who is not root.
        """
        if service == "systemd" and not self._is_root:
            raise InputError(
                f"{self.link.name}: a unit of the system needs root there: add --sudo, or choose --service "
                "systemd-user"
            )

    def choose_name(self, said: str | None) -> str:
        """The name that was said, or the only one there is.

        Raises:
            InputError: it is not there; or none was said, and there are none, or several.
        """
        if said in self.names:
            return str(said)
        if said is None and len(self.names) == 1:
            return self.names[0]
        there = ", ".join(self.names) or "nothing"
        wanted = "say which by ssh://host/NAME" if said is None else f"{said} is not"
        raise InputError(f"{self.link.name}: {there} is deployed in {self.root}; {wanted}")


@contextmanager
def connected(place: Local | Remote, settings: DeviceSettings) -> Iterator[Device]:
    """A connection to a device; whatever it answers, what comes of that is an error of ours.

    Raises:
        DeviceError: there is none, or its answers make no sense.
    """
    prefix = ("sudo", "-n", "--") if settings.sudo else ()
    with AgentLink(place, settings.python, more=DEVICE_PACKAGE, prefix=prefix) as link:
        try:
            yield Device(link, settings)
        except (LookupError, TypeError, ValueError, AttributeError, AssertionError) as error:
            if isinstance(place, Local):
                raise
            raise DeviceError(
                f"{link.name}: an answer of its agent makes no sense ({type(error).__name__})"
            ) from error
