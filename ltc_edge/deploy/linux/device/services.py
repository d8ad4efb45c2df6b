"""What starts the program of a deployment and keeps it running: one small interface, three ways."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from typing import Any

from .layout import Layout, Refused

POLL_S = 0.05


class Service(ABC):
    """Starts, stops and watches what ``current`` points to.

    Args:
        layout: of the deployment.
    """

    kind = ""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout

    @abstractmethod
    def start(self, within_s: float) -> str | None:
        """Start ``current`` in the place of what runs; why it did not report ready in time, if so."""

    @abstractmethod
    def stop(self) -> None:
        """End what runs, which ends in its fallback action; `Refused` where it does not end."""

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """``state`` (running, stopped, failed) and ``pid``, ``version``, ``restarts``, ``last_exit``."""

    def watch(self, identity: str, seconds: float) -> str | None:
        """Why what runs is not the version ``identity`` for so long; None where it is."""
        before = self.state()
        deadline = time.monotonic() + seconds
        while True:
            now = self.state()
            if now["state"] != "running":
                return f"it ended by itself ({now['last_exit'] or now['state']})"
            if now["version"] != identity:
                return f"version {now['version']} runs"
            if now["pid"] != before["pid"]:
                return "it had to be restarted"
            if time.monotonic() >= deadline:
                return None
            time.sleep(POLL_S)


class NoService(Service):
    """Nothing is started: somebody else does."""

    kind = "none"

    def start(self, within_s: float) -> str | None:  # noqa: ARG002
        """Nothing."""
        return None

    def stop(self) -> None:
        """Nothing."""

    def state(self) -> dict[str, Any]:
        """That nothing is known."""
        return {"state": "unmanaged", "pid": None, "version": None, "restarts": None, "last_exit": None}

    def watch(self, identity: str, seconds: float) -> str | None:  # noqa: ARG002
        """Nothing."""
        return None


def find_service(layout: Layout, kind: str) -> Service:
    """The way of this name.

    Raises:
        Refused: there is none.
    """
    from .run_service import RunService
    from .systemd import SystemdService

    for way in (NoService, RunService, SystemdService):
        if way.kind == kind:
            return way(layout)
    if kind == "systemd-user":
        return SystemdService(layout, user=True)
    raise Refused(f"there is no service {kind!r}")
