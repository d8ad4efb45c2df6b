"""A loop program as a child of this process."""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from ltc_edge.deploy.run.page import Page, Snapshot
from ltc_edge.errors import CheckFailedError, DeviceError, InputError, LtcEdgeError

START_S = 20.0
"""A selftest and locking memory take milliseconds; a busy machine takes longer."""
ENDS_S = 10.0
"""Coming to rest takes at most two seconds and a period."""
_POLL_S = 0.005
_LOST, _REFUSED = 1, 3


class LoopProcess:
    """A loop that runs; a context manager, which ends it at rest.

    It ends too where this process is gone, however that came about: the kernel tells it.

    Args:
        program: the loop program.
        io: URL for it.
        arguments: of the program.
        shape: observations and actions of its controller.
        inherited: further file descriptors that it gets.

    Raises:
        InputError: it refuses its options, or the system refuses what they ask for.
        CheckFailedError: its selftest failed.
    """

    def __init__(
        self,
        program: Path,
        io: str,
        arguments: Sequence[str],
        shape: tuple[int, int],
        inherited: Sequence[int] = (),
    ) -> None:
        self._said: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  closed by `close`
        self._handle = os.memfd_create("ltc-edge-page")
        self._page = Page(self._handle, *shape)
        command = [str(program), "--io", io, "--page", f"/dev/fd/{self._handle}"]
        command += ["--parent", str(os.getpid()), *arguments]
        try:
            self._process = subprocess.Popen(
                command,
                stdin=None if io == "lines" else subprocess.DEVNULL,
                stdout=None if io == "lines" else subprocess.DEVNULL,
                stderr=self._said,
                pass_fds=(self._handle, *inherited),
            )
        except OSError as error:  # a folder that is mounted noexec, for one
            raise InputError(f"{program}: cannot be started ({error.strerror})") from None
        try:
            self._wait_for_start()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> LoopProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """Of the loop."""
        return self._process.pid

    def snapshot(self) -> Snapshot:
        """What it is doing, or did last."""
        return self._page.read()

    def wait(self, seconds: float) -> bool:
        """Whether it ended within this time."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def signal(self, number: int) -> None:
        """Send it a signal; nothing where it has ended."""
        self._process.send_signal(number)

    def end(self) -> Snapshot:
        """Have it come to rest and end; what it did."""
        self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(ENDS_S)
        return self.snapshot()

    def failure(self) -> LtcEdgeError | None:
        """Why it ended, where that was not asked for; None while it runs, and where all is well."""
        code = self._process.poll()
        if not code:
            return None
        lines = self.said()
        if code < 0:
            return DeviceError(f"the loop was ended by signal {-code}; nobody drives the actuators")
        if code == _REFUSED:
            what = lines[0] if lines else "--parent: the process that started it is gone"
            return InputError(f"the system refuses what the loop needs: {what}")
        if code == _LOST:
            what = lines[0] if lines else f"the loop ended: {self._page.read().end}"
            return CheckFailedError(what)
        return InputError(lines[0] if lines else f"the loop ended with exit code {code}")

    def said(self) -> list[str]:
        """What it complained of, line by line."""
        return self._lines("Error: ")

    def warned(self) -> list[str]:
        """What did not end it, such as a log that a full disk ended."""
        return self._lines("Warning: ")

    def _lines(self, start: str) -> list[str]:
        self._said.seek(0)
        text = self._said.read().decode("utf-8", "replace")
        return [line.removeprefix(start) for line in text.splitlines() if line.startswith(start)]

    def close(self) -> None:
        """End it, if it still runs, and let go of everything."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(ENDS_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._page.close()
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1
        self._said.close()

    def _wait_for_start(self) -> None:
        deadline = time.monotonic() + START_S
        while not self._page.is_written():
            if (error := self.failure()) is not None:
                raise error
            if self._process.poll() == 0:
                raise InputError("the loop ended before it began")
            if time.monotonic() > deadline:
                raise DeviceError(f"the loop did not begin within {START_S:g} s")
            time.sleep(_POLL_S)
