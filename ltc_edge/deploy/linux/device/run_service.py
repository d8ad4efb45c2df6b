"""A program that is started and left to itself, where there is no systemd; nothing starts it again."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from .layout import Refused, document_of
from .services import POLL_S, Service

ENDS_WITHIN_S = 5.0
GONE_WITHIN_S = 5.0
"""After SIGKILL, which a process takes when the kernel lets go of it: a driver may keep it for ever."""
LOG_BYTES = 1 << 20
LAST = 400


class RunService(Service):
    """What runs is known by its file, which lies in a version: there is nothing to keep, or to lose."""

    kind = "run"

    def start(self, within_s: float) -> str | None:
        """See `Service.start`."""
        try:
            self.stop()
        except Refused as error:  # beside what runs still, nothing is started
            return str(error)
        folder = self.layout.current.resolve()
        arguments = document_of(folder)["arguments"]
        log = self.layout.folder / "run.log"
        if log.exists() and log.stat().st_size > LOG_BYTES:
            log.replace(log.with_suffix(".log.1"))
        # Short, since the name of a socket has 107 letters at most.
        place = Path(tempfile.mkdtemp(prefix="ltc-edge-"))
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notices, log.open("ab") as output:
                notices.bind(str(place / "notify"))
                environment = {**os.environ, "NOTIFY_SOCKET": str(place / "notify")}
                environment.pop("WATCHDOG_USEC", None)
                process = subprocess.Popen(
                    [str(folder / arguments[0]), *arguments[1:]],
                    cwd=folder,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    start_new_session=True,
                )
                ready = _becomes_ready(notices, process, within_s)
                why = None if ready else _why_not(process, log, within_s)
                process.returncode = 0  # left to itself: Python would warn that it runs still
                return why
        except OSError as error:
            return f"it cannot be started ({error.strerror})"
        finally:
            shutil.rmtree(place, ignore_errors=True)

    def stop(self) -> None:
        """See `Service.stop`.

        Raises:
            Refused: it does not end.
        """
        for number, within_s in ((signal.SIGTERM, ENDS_WITHIN_S), (signal.SIGKILL, GONE_WITHIN_S)):
            self._signal(number)
            if self._ends(within_s):
                return
        left = ", ".join(map(str, self._running()))
        raise Refused(
            f"process {left} does not end, not by SIGKILL either; restart the device, then try again"
        )

    def _ends(self, within_s: float) -> bool:
        """Whether nothing of ours runs any more, in time."""
        deadline = time.monotonic() + within_s
        while self._running():
            if time.monotonic() >= deadline:
                return False
            time.sleep(POLL_S / 5)
        return True

    def state(self) -> dict[str, Any]:
        """See `Service.state`; how the program ended is in run.log."""
        running = self._running()
        pid, version = next(iter(running.items()), (None, None))
        idle = "failed" if self.layout.linked(self.layout.current) is not None else "stopped"
        return {
            "state": "running" if running else idle,
            "pid": pid,
            "version": version,
            "restarts": None,
            "last_exit": None,
        }

    def _signal(self, number: int) -> None:
        for pid in self._running():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def _running(self) -> dict[int, str]:
        """The version of each process whose program lies in one of ours."""
        versions = f"{self.layout.versions_folder.resolve()}/"
        found = {}
        for process in Path("/proc").iterdir():
            if process.name.isdigit():
                _reap(int(process.name))
                with contextlib.suppress(OSError):  # gone, or somebody else's
                    program = str((process / "exe").readlink())
                    if program.startswith(versions):
                        found[int(process.name)] = program[len(versions) :].partition("/")[0]
        return found


def _becomes_ready(notices: socket.socket, process: subprocess.Popen[bytes], within_s: float) -> bool:
    """Whether a program says ``READY=1``, as to systemd, in time."""
    deadline = time.monotonic() + within_s
    notices.settimeout(POLL_S)
    while True:
        over = process.poll() is not None or time.monotonic() > deadline
        with contextlib.suppress(socket.timeout):  # what it said before it ended counts
            if b"READY=1" in notices.recv(4096).split(b"\n"):
                return True
        if over:
            return False


def _why_not(process: subprocess.Popen[bytes], log: Path, within_s: float) -> str:
    code = process.poll()
    if code is None:
        return f"it did not report ready within {within_s:g} s"
    said = log.read_bytes()[-LAST:].decode("utf-8", "replace").strip().splitlines()
    return f"it ended with code {code}" + (f": {said[-1]}" if said else "")


def _reap(pid: int) -> None:
    """Let a child of ours that ended be gone."""
    with contextlib.suppress(OSError):
        os.waitpid(pid, os.WNOHANG)
