"""The engine of this machine: processes that stay, each doing one replicate at a time."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import select
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import deque
from pathlib import Path
from typing import IO, Any

from ltc_edge import errors
from ltc_edge.errors import InputError
from ltc_edge.sweep.engines.carry_out import DO_REPLICATE
from ltc_edge.sweep.engines.engine import Lost
from ltc_edge.sweep.work import Outcome, Work

ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1"
)
"""Of the environment of a worker: the order of a sum, and so its last bit, depends on how many share it."""

_BYTES_AT_ONCE = 1 << 16
_SECONDS_TO_END = 2.0
"""That a worker which hung up is waited for, to know how it ended."""

_FALSE_STARTS = 3


_QUOTA = Path("/sys/fs/cgroup/cpu.max")
"""Of a container with version 2 of control groups: microseconds it may run of so many."""


def usable_cores() -> int:
    """How many cores this process may keep busy: those it is allowed on, within a container's quota."""
    cores = len(os.sched_getaffinity(0))
    with contextlib.suppress(OSError, ValueError):  # no such group, or "max"
        quota, of = map(int, _QUOTA.read_text().split())
        cores = max(1, min(cores, quota // of))
    return cores


class Processes:
    """An `Engine` of ``workers`` processes on this machine.

    A process is started when there is work for it, imports once, and is replaced when it dies.

    Args:
        trials: the folder of trials.
        workers: how many at most.
        do: the function that does a replicate, as ``module:function``.
    """

    def __init__(self, trials: Path, workers: int, do: str = DO_REPLICATE) -> None:
        self._scratch = tempfile.TemporaryDirectory(prefix="ltc-edge-sweep-", ignore_cleanup_errors=True)
        self._task = {"do": do, "trials": str(trials.resolve()), "path": sys.path}
        self._most = workers
        self._workers: list[_Worker] = []
        self._waiting: deque[Work] = deque()
        self._false_starts = 0
        self._selector = selectors.DefaultSelector()

    @property
    def slots(self) -> int:
        """How many replicates are done at once."""
        return self._most

    def submit(self, work: Work) -> None:
        """Take ``work``; it waits here until a worker is free."""
        self._waiting.append(work)
        self._feed()

    def wait(self, timeout_s: float | None = None) -> list[Outcome | Lost]:
        """What has ended since the last call; waits for the first, and for nothing where nothing runs.

        Raises:
            InputError: workers cannot be started.
            LtcEdgeError: this machine is not fit for the work, see `carry_out`.
        """
        until = None if timeout_s is None else time.monotonic() + timeout_s
        ended: list[Outcome | Lost] = []
        while not ended and any(worker.work for worker in self._workers):
            left = None if until is None else until - time.monotonic()
            if left is not None and left <= 0:
                break
            for key, _ in self._selector.select(left):
                ended += self._hear(key.data)
            self._feed()
        return ended

    def close(self) -> None:
        """End what is running, at once."""
        workers, self._workers = self._workers, []
        for worker in workers:
            self._selector.unregister(worker.link)
            worker.end(0.0)
        self._selector.close()
        self._scratch.cleanup()

    def _feed(self) -> None:
        """Give what waits to whoever is free."""
        while self._waiting:
            worker = next((worker for worker in self._workers if worker.work is None), None)
            if worker is None:
                if len(self._workers) == self._most:
                    return
                worker = _Worker(self._task, self._scratch.name)
                self._workers.append(worker)
                self._selector.register(worker.link, selectors.EVENT_READ, worker)
            worker.give(self._waiting.popleft())

    def _hear(self, worker: _Worker) -> list[Outcome | Lost]:
        """What ``worker`` said, or that it is no more."""
        ended: list[Outcome | Lost] = []
        for said in worker.read():
            if "stop" in said:
                kind, message = said["stop"]
                raise getattr(errors, kind)(message)
            self._false_starts = 0
            worker.is_ready = True
            if "outcome" in said:
                worker.work = None
                ended.append(Outcome.from_json(said["outcome"]))
        return ended if worker.is_there else [*ended, *self._bury(worker)]

    def _bury(self, worker: _Worker) -> list[Lost]:
        self._selector.unregister(worker.link)
        self._workers.remove(worker)
        reason = worker.end(_SECONDS_TO_END)
        self._false_starts += not worker.is_ready
        if self._false_starts >= _FALSE_STARTS:
            raise InputError(f"workers cannot be started: {reason}")
        return [] if worker.work is None else [Lost(worker.work, reason)]


class _Worker:
    """One process, and what it is doing.

    Attributes:
        link: to it.
        work: what it does; None while it is idle.
        is_ready: it has imported what it works with.
        is_there: it has not hung up.
    """

    def __init__(self, task: dict[str, Any], scratch: str) -> None:
        self.link, theirs = socket.socketpair()
        self.work: Work | None = None
        self.is_ready = False
        self.is_there = True
        self._heard = b""
        self._last_words: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 (closed by `end`)
        module = "ltc_edge.sweep.engines.worker"
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", module, str(theirs.fileno()), str(os.getpid())],
                stdin=subprocess.DEVNULL,
                stdout=self._last_words,
                stderr=self._last_words,
                pass_fds=(theirs.fileno(),),
                # What a worker that is killed leaves of compilers goes with the engine.
                env={**os.environ, **ONE_THREAD, "TMPDIR": scratch},
                start_new_session=True,  # a group of its own: what it starts ends with it
            )
        self._send(task)

    def give(self, work: Work) -> None:
        """Let it do ``work``."""
        self.work = work
        self._send(dataclasses.asdict(work))

    def read(self) -> list[dict[str, Any]]:
        """The whole lines that have come."""
        try:
            heard = self.link.recv(_BYTES_AT_ONCE)
        except ConnectionResetError:
            heard = b""
        self.is_there = bool(heard)
        *lines, self._heard = (self._heard + heard).split(b"\n")
        return [json.loads(line) for line in lines]

    def end(self, patience_s: float) -> str:
        """End it and all that it started, by force after ``patience_s``; how it ended, in one line."""
        ended = os.pidfd_open(self._process.pid)
        select.select([ended], [], [], patience_s)
        os.close(ended)
        # Not waited for yet, so that its number, and that of its group, is still its own.
        os.killpg(self._process.pid, signal.SIGKILL)
        code = self._process.wait()
        self.link.close()
        self._last_words.seek(0)
        words = self._last_words.read().decode(errors="replace").split("\n")
        self._last_words.close()
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
        last = next((line.strip() for line in reversed(words) if line.strip()), "")
        return f"worker {self._process.pid} {how}" + (f": {last}" if last else "")

    def _send(self, document: dict[str, Any]) -> None:
        # A worker that is gone is noticed by reading from it.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.link.sendall(json.dumps(document, allow_nan=False).encode() + b"\n")
