"""What the agent starts: programs and workers that answer requests one after the other."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from . import frames
from .realtime import refusal_text

STDERR_BYTES = 4000
EMULATOR = "LTC_EDGE_EMULATOR"
"""Variable that names what runs compiled programs where the kernel cannot, such as ``qemu-aarch64``."""


_SIGNS = ("error", "ERROR", "undefined reference")
"""What marks the lines that say why a tool failed."""


class ProcessError(Exception):
    """A process that did not start, ended, or was refused what it asked for.

    Attributes:
        kind: ``refused`` (cannot be had here) or ``failed`` (should work, and broke).
    """

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class Process:
    """A process in a group of its own, so that all it starts ends with it.

    Args:
        command: what runs.
        folder: where.
    """

    def __init__(self, command: list[str], folder: Path) -> None:
        self.name = Path(command[0]).name
        self._errors = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  closed by `end`
        self._overdue_s: float | None = None
        self.spawned_ns = time.monotonic_ns()
        pipe = subprocess.PIPE
        try:
            self._process = subprocess.Popen(
                command, cwd=folder, stdin=pipe, stdout=pipe, stderr=self._errors, start_new_session=True
            )
        except OSError as error:
            self._errors.close()
            raise ProcessError("refused", _why_not(command[0], error)) from None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self.input, self.output = self._process.stdin, self._process.stdout

    def memory_bytes(self) -> int | None:
        """Resident memory just now, where the system tells."""
        try:
            with Path(f"/proc/{self._process.pid}/status").open(errors="replace") as status:
                for line in status:
                    if line.startswith("VmRSS:"):
                        return int(line.split()[1]) * 1024
        except (OSError, ValueError, IndexError):
            pass
        return None

    @contextlib.contextmanager
    def due(self, within_s: float) -> Iterator[None]:
        """What happens meanwhile ends with the process where it takes longer; `ended` then says so."""

        def kill() -> None:
            self._overdue_s = within_s
            self._kill()

        timer = threading.Timer(within_s, kill)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def ended(self) -> ProcessError:
        """Why nothing more comes of it."""
        if self._overdue_s is not None:
            return ProcessError("failed", f"it was ended: no answer came within {self._overdue_s:g} s")
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(5)
        code = self._process.poll()
        self._errors.seek(max(self._errors.seek(0, os.SEEK_END) - STDERR_BYTES, 0))
        said = self._errors.read().decode("utf-8", "replace").strip().splitlines()
        if code is not None and code < 0:
            with contextlib.suppress(ValueError):
                return ProcessError("failed", f"it was ended by {signal.Signals(-code).name}")
        return ProcessError("failed", f"it ended with code {code}" + (f": {said[-1][:200]}" if said else ""))

    def end(self) -> None:
        """Kill the process and all that it started; it is gone when this returns."""
        self._kill()
        self._process.wait()
        for stream in (self.input, self.output, self._errors):
            with contextlib.suppress(OSError):
                stream.close()

    def _kill(self) -> None:
        with contextlib.suppress(OSError):
            os.killpg(self._process.pid, signal.SIGKILL)


class Tool(Process):
    """A program that does something and ends, such as a compiler.

    Args:
        command: what runs.
        folder: where, and where it puts what is temporary.
    """

    def __init__(self, command: list[str], folder: Path) -> None:
        # What a tool that is killed leaves behind is in a folder that goes.
        super().__init__(["env", f"TMPDIR={folder}", *command], folder)
        self.name = Path(command[0]).name
        self.process = self

    def finish(self, within_s: float) -> list[str]:
        """Wait for its end; the lines that it printed.

        Raises:
            ProcessError: it failed, or was not done in time; with the line that tells most.
        """
        self.input.close()
        with self.due(within_s):
            printed = self.output.read()
            code = self._process.wait()
        if self._overdue_s is not None:
            raise ProcessError("failed", f"{self.name} was not done within {within_s:g} s")
        self._errors.seek(0)
        said = (printed + self._errors.read()).decode("utf-8", "replace").splitlines()
        # The driver's own line only says that the linker failed.
        lines = [line for line in said if not line.startswith("collect2")]
        if code:
            telling = (
                [line for line in lines if any(sign in line for sign in _SIGNS)] or lines or ["no message"]
            )
            raise ProcessError("failed", f"{self.name} failed: {' '.join(telling[0].split())[:200]}")
        return lines


def _why_not(program: str, error: OSError) -> str:
    if isinstance(error, PermissionError):
        folder = Path(program).parent
        return f"programs in {folder} must not run (mounted noexec?); name another place with --remote-dir"
    return f"{program} cannot be started ({error.strerror})"


class Worker:
    """A model in a Python process.

    Args:
        package: the zip that the agent is in.
        document: what to load; see `worker.load`.
        folder: where the files are.
        paths: where Python looks for packages besides.

    Raises:
        ProcessError: Python cannot be started.
    """

    def __init__(self, package: Path, document: str, folder: Path, paths: list[str]) -> None:
        # Nothing in the current folder may be taken for a module.
        start = f"import sys; sys.path[0] = {str(package)!r}; sys.path[1:1] = {paths!r}\n"
        start += f"from {__package__}.worker import main; main()"
        self.process = Process([sys.executable, "-u", "-c", start, document], folder)

    def begin(self) -> dict[str, Any]:
        """Wait until the model is loaded; when each stage of that was over, in nanoseconds.

        Raises:
            ProcessError: it cannot be loaded.
        """
        times, _ = self._read()
        return {**times, "spawned_ns": self.process.spawned_ns}

    def ask(self, request: dict[str, Any]) -> frames.Message:
        """What comes of a request.

        Raises:
            ProcessError: it was refused, or the process ended.
        """
        try:
            frames.write(self.process.input, request)
        except OSError:
            raise self.process.ended() from None
        return self._read()

    def _read(self) -> frames.Message:
        try:
            message = frames.read(self.process.output)
        except frames.FrameError:
            message = None
        if message is None:
            raise self.process.ended()
        for kind in ("refused", "failed"):
            if kind in message[0]:
                raise ProcessError(kind, str(message[0][kind]))
        return message


class Program:
    """The harness of a generated controller.

    Args:
        path: the compiled program.
        feed: file of its inputs.

    Raises:
        ProcessError: it must not run there, or is no program.
    """

    def __init__(self, path: Path, feed: Path) -> None:
        emulator = os.environ.get(EMULATOR)
        command = [emulator, str(path)] if emulator else [str(path)]
        self.process = Process([*command, feed.name], path.parent)

    def begin(self) -> dict[str, Any]:
        """Wait until it is ready; when each stage of its start was over, in nanoseconds.

        Raises:
            ProcessError: it does not start.
        """
        times, _ = self._read()
        return {**times, "spawned_ns": self.process.spawned_ns}

    def ask(self, request: dict[str, Any]) -> frames.Message:
        """What comes of a request; see `Worker.ask`."""
        line = self._line(request)
        try:
            self.process.input.write(line.encode() + b"\n")
            self.process.input.flush()
        except OSError:
            raise self.process.ended() from None
        return self._read()

    def _line(self, request: dict[str, Any]) -> str:
        do = request["do"]
        if do == "realtime":
            cpu = -1 if request["cpu"] is None else request["cpu"]
            return f"realtime {request['fifo']} {cpu} {int(request['lock'])}"
        order = {
            "actions": ("steps",),
            "singles": ("steps", "limit_ns", "empty"),
            "batches": ("count", "steps"),
            "paced": ("period_ns", "periods"),
            "stages": ("duration_ns", "interval_ns"),
        }
        if do not in order:
            raise ProcessError("refused", f"C has no {do!r}")
        return " ".join([do, *(str(int(request[key])) for key in order[do])])

    def _read(self) -> frames.Message:
        line = self.process.output.readline(300)
        words = line.decode("ascii", "replace").split()
        if words[:1] == ["no"]:
            raise ProcessError("refused", self._refusal(words[1:]))
        if words[:1] != ["ok"]:
            raise self.process.ended()
        block = self.process.output.read(int(words[1]))
        if len(block) < int(words[1]):
            raise self.process.ended()
        return {key: int(value) for key, _, value in (word.partition("=") for word in words[2:])}, block

    def _refusal(self, words: list[str]) -> str:
        """What the harness was refused, and what to do."""
        if len(words) == 2 and words[0] in ("fifo", "pin", "mlock"):
            return refusal_text(words[0], int(words[1]))
        return " ".join(words)
