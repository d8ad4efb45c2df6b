"""A unit of systemd, of the system or of the user; its file is a version's, so that both switch at once."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from .layout import Layout, Refused, sync_folder
from .services import Service

TIMEOUT_S = 25
SYSTEM_UNITS = "/etc/systemd/system"
PROPERTIES = ("ActiveState", "Result", "MainPID", "NRestarts", "ExecMainStatus")


class SystemdService(Service):
    """``ltc-edge-NAME.service``.

    Args:
        layout: of the deployment.
        user: a unit of this user's manager; without, of the system's.
    """

    kind = "systemd"

    def __init__(self, layout: Layout, *, user: bool = False) -> None:
        super().__init__(layout)
        self._user = user
        self.unit = unit_name(layout.name)
        home = os.environ.get("XDG_CONFIG_HOME") or str(Path("~/.config").expanduser())
        self._units = Path(home) / "systemd/user" if user else Path(SYSTEM_UNITS)

    def start(self, within_s: float) -> str | None:  # noqa: ARG002  the unit says it to systemd
        """See `Service.start`; systemd waits for the program to report ready."""
        self._install()
        self._call("daemon-reload")
        # Of an earlier version that failed too often, which says nothing of this one.
        self._call("reset-failed", self.unit, fail=False)
        code, said = self._call("restart", self.unit, fail=False)
        return None if code == 0 else f"systemd did not see it ready ({said or self._result()})"

    def stop(self) -> None:
        """See `Service.stop`; it is not started at boot any more either."""
        self._call("stop", self.unit, fail=False)
        if self.layout.linked(self.layout.current) is None:
            for link in self._links():
                link.unlink(missing_ok=True)
            self._call("daemon-reload", fail=False)

    def state(self) -> dict[str, Any]:
        """See `Service.state`."""
        _, said = self._call("show", self.unit, *(f"--property={name}" for name in PROPERTIES))
        found = dict(line.split("=", 1) for line in said.splitlines() if "=" in line)
        pid = int(found.get("MainPID", "0")) or None
        version = None
        if pid is not None:
            with contextlib.suppress(OSError):
                version = Path(f"/proc/{pid}/exe").readlink().parent.name
        active = found.get("ActiveState", "unknown")
        states = {"active": "running", "inactive": "stopped", "failed": "failed"}
        result = found.get("Result", "")
        return {
            "state": states.get(active, active),
            "pid": pid,
            "version": version,
            "restarts": int(found.get("NRestarts", "0")),
            "last_exit": None if result in ("", "success") else f"{result}, {found.get('ExecMainStatus')}",
        }

    def _install(self) -> None:
        """Let systemd find the unit, and start it at boot: what ``systemctl link`` and ``enable`` do.

        The first link leads through ``current``: whichever version that is, its own unit is what runs it. An
        ``enable`` would resolve it, and keep the version of today.
        """
        unit, wanted = self._links()
        for link, target in (
            (unit, str(self.layout.current.absolute() / self.unit)),
            (wanted, f"../{self.unit}"),
        ):
            link.parent.mkdir(parents=True, exist_ok=True)
            if link.is_symlink() and str(link.readlink()) == target:
                continue
            if link.exists() and not link.is_symlink():
                raise Refused(f"{link} is there already, and not from here")
            fresh = link.with_name(f".{link.name}.new")
            fresh.unlink(missing_ok=True)
            fresh.symlink_to(target)
            fresh.replace(link)
            sync_folder(link.parent)

    def _links(self) -> tuple[Path, Path]:
        wants = "default.target.wants" if self._user else "multi-user.target.wants"
        return self._units / self.unit, self._units / wants / self.unit

    def _result(self) -> str:
        state = self.state()
        return str(state["last_exit"] or state["state"])

    def _call(self, *words: str, fail: bool = True) -> tuple[int, str]:
        systemctl = shutil.which("systemctl")
        if systemctl is None:
            raise Refused("there is no systemd on this device; choose --service run or none")
        command = [systemctl, *(["--user"] if self._user else []), *words]
        try:
            done = subprocess.run(command, capture_output=True, timeout=TIMEOUT_S, check=False)
        except subprocess.TimeoutExpired:
            return 1, f"systemctl {words[0]} was not done within {TIMEOUT_S} s"
        said = (done.stdout + done.stderr).decode("utf-8", "replace").strip()
        if fail and done.returncode != 0:
            raise Refused(f"systemctl {words[0]} failed: {said.splitlines()[0] if said else done.returncode}")
        return done.returncode, said


def unit_name(name: str) -> str:
    """The unit of a deployment."""
    return f"ltc-edge-{name}.service"
