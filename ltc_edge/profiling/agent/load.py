"""Load for a device: processes that compute, move memory and call the kernel while it is timed."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType

from .probe import entries, processors, read_line, read_text

START_SECONDS = 20.0
"""A Raspberry Pi Zero takes seconds to start so many interpreters at once."""
_CPUS = "sys/devices/system/cpu"
_LEAST_BYTES, _MOST_BYTES = 8 << 20, 64 << 20

# What a process of the load runs: `python -c` needs no file, so it works from a zip as well. Arguments: the
# kind, the process that it ends with, the processors it may use, the bytes it copies, the folder to write in.
# It has none of the priorities and processors that its parent may have asked for itself.
_WORKER = """
import ctypes, hashlib, os, signal, sys, tempfile
kind, parent, cpus, size, folder = sys.argv[1:]
signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal; the parent ends this process itself
ctypes.CDLL(None).prctl(1, int(signal.SIGKILL), 0, 0, 0)  # PR_SET_PDEATHSIG
orphan = lambda: os.getppid() != int(parent)  # also where the parent was gone before prctl
try:
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
except OSError:
    pass  # musl refuses to, and to make it anything else
try:
    os.sched_setaffinity(0, [int(cpu) for cpu in cpus.split(",")])
except OSError:
    pass  # a container has other processors: it runs where it is put
if kind == "hash":
    block = bytes(1 << 16)
    def work():
        for _ in range(64):
            hashlib.sha256(block).digest()
elif kind == "copy":
    source, target = bytearray(int(size)), bytearray(int(size))
    def work():
        target[:] = source
else:
    # No fsync: it would wear the card out, and what it waits for is the card, not the kernel.
    file, block = tempfile.TemporaryFile(dir=folder, buffering=0), bytes(1 << 14)
    def work():
        for _ in range(64):
            file.seek(0)
            file.write(block)
            os.pread(file.fileno(), len(block), 0)
            os.stat(folder)
work()
os.write(1, b"r")
while not orphan():
    work()
"""


class LoadFailed(Exception):
    """Load cannot be generated here; the message says why."""


class BusyLoad:
    """One process a processor, half of which hash and half copy memory, and one that reads and writes a file.

    They run while the ``with`` block does, at normal priority, on every processor that the kernel places work
    on: what isolates a processor (``isolcpus``) keeps this load away from it too. They end with this process,
    however it ends. The thread that enters the block must live until its end: the kernel ends them with it.
    """

    def __init__(self, folder: Path | None = None, root: Path = Path("/")) -> None:
        self.folder = folder or Path(tempfile.gettempdir())
        self.cpus = _usable_processors(root)
        self.copy_bytes = _copy_bytes(root)
        hashing = max(len(self.cpus) // 2, 1)
        copying = max(len(self.cpus) - hashing, 1)
        self.kinds = ["hash"] * hashing + ["copy"] * copying + ["file"]
        self.processes: list[subprocess.Popen[bytes]] = []

    def describe(self) -> str:
        """What runs, in words."""
        return (
            f"{len(self.kinds)} processes on {len(self.cpus)} processors: "
            f"{self.kinds.count('hash')} hashing, {self.kinds.count('copy')} copying "
            f"{self.copy_bytes >> 20} MiB, 1 reading and writing a file in {self.folder}"
        )

    def check(self) -> None:
        """See that all of them still run.

        Raises:
            LoadFailed: one ended by itself, so that there is less load than `describe` says.
        """
        for kind, process in zip(self.kinds, self.processes):
            if process.poll() is not None:
                raise LoadFailed(f"a process of the load ({kind}) ended: {_last_words(process)}")

    def __enter__(self) -> BusyLoad:
        """Start the processes, and wait until each has done a first piece of work.

        Raises:
            LoadFailed: one does not start, or ends at once.
        """
        try:
            for kind in self.kinds:
                self.processes.append(self._start(kind))
            self._await_work()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def _start(self, kind: str) -> subprocess.Popen[bytes]:
        cpus = ",".join(str(cpu) for cpu in self.cpus)
        words = (kind, str(os.getpid()), cpus, str(self.copy_bytes), str(self.folder))
        try:
            return subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", _WORKER, *words],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
        except OSError as error:
            raise LoadFailed(f"the load cannot be started ({error.strerror}); measure without it") from None

    def _await_work(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        for kind, process in zip(self.kinds, self.processes):
            assert process.stdout is not None
            left = max(deadline - time.monotonic(), 0.0)
            if not select.select([process.stdout], [], [], left)[0]:
                raise LoadFailed(f"the load did not begin within {START_SECONDS:.0f} s; measure without it")
            if not os.read(process.stdout.fileno(), 1):
                raise LoadFailed(f"a process of the load ({kind}) ended: {_last_words(process)}")

    def _end(self) -> None:
        for process in self.processes:
            process.kill()
        for process in self.processes:
            process.wait()
            for stream in (process.stdout, process.stderr):
                if stream is not None:
                    stream.close()
        self.processes.clear()


def _last_words(process: subprocess.Popen[bytes]) -> str:
    """The last line that a process which has ended wrote to standard error."""
    assert process.stderr is not None
    lines = process.stderr.read(1 << 14).decode("utf-8", errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "without a word")


def _usable_processors(root: Path) -> list[int]:
    """Those online without those that the kernel was told to keep free of other work."""
    online = processors(read_line(root, f"{_CPUS}/online")) or sorted(os.sched_getaffinity(0))
    isolated = processors(read_text(root, f"{_CPUS}/isolated")) or []
    return [cpu for cpu in online if cpu not in isolated] or online


def _copy_bytes(root: Path) -> int:
    """Four times the largest cache, so that copying goes to memory, but a small part of what is free."""
    caches = [_LEAST_BYTES]
    for cache in entries(root, f"{_CPUS}/cpu0/cache", "index[0-9]+"):
        size = read_line(root, f"{cache}/size") or ""
        if size.endswith("K") and size[:-1].isascii() and size[:-1].isdigit():
            caches.append(4 * (int(size[:-1]) << 10))
    return min(max(caches), _MOST_BYTES, max(_available_bytes(root) // 32, _LEAST_BYTES))


def _available_bytes(root: Path) -> int:
    for line in (read_text(root, "proc/meminfo") or "").splitlines():
        words = line.split()
        if len(words) == 3 and words[0] == "MemAvailable:" and words[1].isascii() and words[1].isdigit():
            return int(words[1]) << 10
    return 0
