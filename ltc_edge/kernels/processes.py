"""Running compilers: two at a time, and none of them longer than it may take.

Each is the leader of a process group: a compiler is a driver that starts other programs, and all of them end
with it when time is up or Ctrl-C is pressed.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from ltc_edge.errors import KernelError

AT_ONCE = 2
_CHUNK = 1 << 16


@dataclass(frozen=True)
class Finished:
    """How a program ended, and what it printed on either stream."""

    code: int
    output: str


@dataclass(eq=False)
class _Running:
    number: int
    process: subprocess.Popen[bytes]
    printed: bytearray = field(default_factory=bytearray)


def run_all(commands: Sequence[Sequence[str]], folder: Path, timeout_s: float) -> list[Finished]:
    """Run programs in ``folder``, where their temporary files go as well; results in the commands' order.

    Raises:
        KernelError: one cannot be started, or together they take longer than ``timeout_s``.
    """
    deadline = time.monotonic() + timeout_s
    waiting = list(enumerate(commands))[::-1]
    running: list[_Running] = []
    finished: dict[int, Finished] = {}
    try:
        with selectors.DefaultSelector() as selector:
            while waiting or running:
                while waiting and len(running) < AT_ONCE:
                    number, command = waiting.pop()
                    with _no_interrupt():  # else one could be started that nobody knows of
                        running.append(_Running(number, _start(command, folder)))
                    assert running[-1].process.stdout is not None
                    selector.register(running[-1].process.stdout, selectors.EVENT_READ, running[-1])
                for key, _ in selector.select(_remaining(commands, deadline)):
                    one: _Running = key.data
                    chunk = os.read(key.fd, _CHUNK)
                    one.printed.extend(chunk)
                    if not chunk:  # it and all that it started have closed their output
                        selector.unregister(key.fileobj)
                        code = one.process.wait(_remaining(commands, deadline))
                        finished[one.number] = Finished(code, one.printed.decode(errors="replace"))
                        running.remove(one)
                        _close(one.process)
    except subprocess.TimeoutExpired:
        raise _too_slow(commands) from None
    finally:
        for one in running:
            _kill(one.process)
    return [finished[number] for number in range(len(commands))]


def _remaining(commands: Sequence[Sequence[str]], deadline: float) -> float:
    """Seconds left.

    Raises:
        KernelError: none.
    """
    seconds = deadline - time.monotonic()
    if seconds <= 0.0:
        raise _too_slow(commands)
    return seconds


def _too_slow(commands: Sequence[Sequence[str]]) -> KernelError:
    return KernelError(f"{commands[0][0]} does not finish in time; name a compiler that works with CC")


@contextlib.contextmanager
def _no_interrupt() -> Iterator[None]:
    """Let Ctrl-C wait. Blocking the signal in this thread is not enough: another one may take it."""
    handler = signal.getsignal(signal.SIGINT)
    if not callable(handler) or threading.current_thread() is not threading.main_thread():
        yield  # nothing is raised here
        return
    caught: list[tuple[int, FrameType | None]] = []
    signal.signal(signal.SIGINT, lambda number, frame: caught.append((number, frame)))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
        if caught:
            handler(*caught[0])


def _start(command: Sequence[str], folder: Path) -> subprocess.Popen[bytes]:
    # Messages in English: they are searched for the line that tells most.
    environment = {**os.environ, "TMPDIR": str(folder), "LC_ALL": "C"}
    try:
        return subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as error:
        raise KernelError(f"{command[0]} cannot be run ({error.strerror or error})") from None


def _kill(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(
        ProcessLookupError, PermissionError
    ):  # PermissionError: macOS, where it has ended
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    _close(process)


def _close(process: subprocess.Popen[bytes]) -> None:
    if process.stdout is not None:
        process.stdout.close()
