"""The agent at the other end of a pipe: on this machine, or over ssh."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import queue
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any

from ltc_edge.errors import DeviceError
from ltc_edge.profiling.agent import bootstrap, frames
from ltc_edge.profiling.ending import EndedError, Ending
from ltc_edge.profiling.openssh import explain, ssh_command
from ltc_edge.profiling.places import Local, Remote

_Item = frames.Message | str | EndedError | None
"""What comes: the greeting, answers, that it was cut off, and None at the end."""

PACKAGE = "ltc_edge_agent"
ANSWER_S = 60.0
"""How long an answer may take that has nothing to wait for."""
START_S = 40.0
PING_S, SILENCE_S = 5.0, 30.0
ENDS_WITHIN_S = 10.0
NOISE_BYTES = 1 << 16
"""What a login shell may print before the agent speaks."""

# Runs on the device: reads bootstrap.py. Nothing in the home folder may be taken for a module.
_BEGIN = "import sys;sys.path.pop(0);i=sys.stdin.buffer;exec(i.read(int(i.readline())))"


class RemoteError(DeviceError):
    """The agent could not do what it was asked for.

    Attributes:
        kind: ``refused`` (cannot be had there), ``failed`` (broke), or ``request``.
    """

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


def agent_package(more: str | None = None) -> bytes:
    """The agent as a zip that Python runs; the same bytes every time.

    Args:
        more: a package of ours with more requests, which becomes the agent's ``more``.
    """
    content = io.BytesIO()
    packages = {PACKAGE: bootstrap.__package__} | ({} if more is None else {f"{PACKAGE}/more": more})
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as package:
        for folder, source in packages.items():
            for entry in sorted(resources.files(source).iterdir(), key=lambda e: e.name):
                if entry.name.endswith(".py"):
                    # A ZipInfo has the same date every time; it says nothing of compression.
                    info = zipfile.ZipInfo(f"{folder}/{entry.name}")
                    package.writestr(info, entry.read_bytes(), zipfile.ZIP_DEFLATED)
    return content.getvalue()


class AgentLink:
    """A running agent; a context manager, which ends it.

    Args:
        place: where it runs.
        python: its interpreter; the one that runs this, or ``python3`` over ssh, where None.
        folder: where it makes its folder; where None, where temporary files go there.
        more: a package of ours with more requests: its module ``requests`` has a function of that name,
            which gives what answers each.
        prefix: words before its interpreter, such as ``sudo -n``.
        ending: what may cut it off while it is waited for.

    Raises:
        DeviceError: it does not start.
        EndedError: it was cut off.
        MissingToolError: there is no ssh here.
    """

    def __init__(
        self,
        place: Local | Remote,
        python: str | None = None,
        folder: str | None = None,
        more: str | None = None,
        prefix: Sequence[str] = (),
        ending: Ending | None = None,
    ) -> None:
        self._place, self._more = place, more
        self._python = python or (sys.executable if isinstance(place, Local) else "python3")
        command = [*prefix, self._python, "-c", _BEGIN]
        if isinstance(place, Remote):
            command = ssh_command(place, command)
        self.name = "local" if isinstance(place, Local) else place.address
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  closed by `close`
        self._lock, self._inbox = threading.Lock(), queue.SimpleQueue[_Item]()
        self._number = 0
        self._over = threading.Event()
        self._garbage: str | None = None
        self._silent, self._greeted = False, False
        self._cut_off: EndedError | None = None
        self._open = contextlib.ExitStack()
        pipe = subprocess.PIPE
        try:
            # A group of its own: Ctrl-C must reach this program alone, which then has the agent clean up.
            self._process = subprocess.Popen(
                command, stdin=pipe, stdout=pipe, stderr=self._errors, start_new_session=True
            )
        except OSError as error:
            self._errors.close()
            raise DeviceError(f"{self.name}: {command[0]} cannot be started ({error.strerror})") from None
        try:
            if ending is not None:
                self._open.enter_context(ending.cutting(self._cut))
            self._greet(folder)
        except BaseException:
            self.close()
            raise
        threading.Thread(target=self._ping, daemon=True).start()

    def __enter__(self) -> AgentLink:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def request(
        self, document: Mapping[str, Any], block: bytes = b"", timeout_s: float = ANSWER_S
    ) -> frames.Message:
        """What the agent answers.

        Raises:
            RemoteError: that it cannot.
            DeviceError: nothing, or no answer of the agent's.
            EndedError: it was cut off.
        """
        if self._cut_off is not None:  # whoever cleans up asks for more
            raise self._cut_off
        if self._silent:
            raise self._no_answer()
        self._number += 1
        number = self._number
        self._send({**document, "number": number}, block)
        deadline = time.monotonic() + timeout_s
        while True:
            # The agent answers pings whatever it does: one that says nothing for so long is gone.
            found, answer = self._next(min(deadline, time.monotonic() + SILENCE_S))
            if found.get("number") == number:
                break
        if "error" in found:
            raise RemoteError(str(found["error"]), _line(str(found.get("detail"))))
        return found, answer

    def close(self) -> None:
        """End the agent, which removes its folder; its process is gone when this returns."""
        self._over.set()
        self._open.close()
        assert self._process.stdin is not None
        # What does not read holds whoever writes to it, and with it the lock.
        if self._lock.acquire(timeout=ENDS_WITHIN_S):
            with contextlib.suppress(OSError, ValueError):
                self._process.stdin.close()
            self._lock.release()
        try:
            # What is no agent does not know that it should end.
            is_agent = self._greeted and self._garbage is None
            self._process.wait(ENDS_WITHIN_S if is_agent else 0.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._errors.close()

    def _cut(self, why: str) -> None:
        """Whoever waits for an answer gets this one; and where it cannot even be asked, it ends by force."""
        self._cut_off = EndedError(why)
        self._inbox.put(self._cut_off)
        by_force = threading.Timer(ENDS_WITHIN_S, self._process.kill)
        by_force.daemon = True
        by_force.start()

    def _greet(self, folder: str | None) -> None:
        package = agent_package(self._more)
        said = {"bytes": len(package), "sha256": hashlib.sha256(package).hexdigest(), "folder": folder}
        source = resources.files(bootstrap.__package__).joinpath("bootstrap.py").read_bytes() + b"\nbegin()\n"
        stdin = self._process.stdin
        assert stdin is not None
        threading.Thread(target=self._listen, daemon=True).start()
        with contextlib.suppress(OSError):  # where nobody reads it, what is said says why
            stdin.write(b"%d\n" % len(source) + source + json.dumps(said).encode() + b"\n" + package)
            stdin.flush()
        greeting = self._inbox_item(time.monotonic() + START_S)
        if not isinstance(greeting, str):
            raise self._ended()
        self._greeted = True
        if greeting:
            raise DeviceError(f"{self.name}: the agent cannot work there: {_line(greeting)}")

    def _listen(self) -> None:
        """Read the greeting, then answers, until the stream ends; None is put behind the last."""
        stdout = self._process.stdout
        assert stdout is not None
        try:
            greeting = _greeting(stdout)
            if greeting is not None:
                self._inbox.put(greeting)
                while (message := frames.read(stdout)) is not None:
                    self._inbox.put(message)
        except (frames.FrameError, OSError, ValueError) as error:
            if not self._over.is_set():
                self._garbage = str(error)
        self._inbox.put(None)

    def _next(self, deadline: float) -> frames.Message:
        item = self._inbox_item(deadline)
        if item is None or isinstance(item, str):
            raise self._ended()
        return item

    def _inbox_item(self, deadline: float) -> frames.Message | str | None:
        try:
            item = self._inbox.get(timeout=max(deadline - time.monotonic(), 0.0))
        except queue.Empty:
            # Whoever cleans up asks for more: that is not waited for again.
            self._silent = True
            raise self._no_answer() from None
        if isinstance(item, EndedError):
            raise item
        return item

    def _no_answer(self) -> DeviceError:
        return DeviceError(f"{self.name}: no answer; the device is gone, or too busy to answer")

    def _send(self, document: Mapping[str, Any], block: bytes = b"") -> None:
        assert self._process.stdin is not None
        try:
            with self._lock:
                frames.write(self._process.stdin, dict(document), block)
        except (OSError, ValueError):
            raise self._ended() from None

    def _ping(self) -> None:
        while not self._over.wait(PING_S):
            try:
                self._send({"request": "ping"})
            except DeviceError:
                return

    def _ended(self) -> DeviceError:
        """Why nothing more comes.

        Raises:
            EndedError: since it was cut off.
        """
        if self._cut_off is not None:
            raise self._cut_off
        if self._garbage is not None:
            return DeviceError(
                f"{self.name}: what comes from there is no answer of the agent's ({self._garbage[:100]})"
            )
        try:
            code: int | None = self._process.wait(ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            code = None
        self._errors.seek(0)
        said = self._errors.read(1 << 20).decode("utf-8", "replace")
        if isinstance(self._place, Remote):
            return DeviceError(_line(explain(self._place, code, said, self._python)))
        lines = said.strip().splitlines()
        return DeviceError(
            f"{self.name}: the agent ended with code {code}"
            + (f" ({_line(lines[-1][:160])})" if lines else "")
        )


def _greeting(stdout: Any) -> str | None:
    """What follows the agent's greeting: nothing, or why it cannot work; None where there is no greeting."""
    read = 0
    while read < NOISE_BYTES:
        line = stdout.readline(1000)
        if not line:
            return None
        read += len(line)
        text = line.decode("utf-8", "replace").strip()
        if text.startswith(bootstrap.GREETING):
            return str(text.removeprefix(bootstrap.GREETING).removeprefix(": "))
    raise frames.FrameError("it prints, but no agent starts")


def _line(said: str) -> str:
    """What a device said, on one line, without what would move a terminal's cursor."""
    return "".join(letter if letter.isprintable() else "?" for letter in " ".join(said.split()))
