"""Independent pieces of work on several processes.

A process that is killed is noticed and named with the piece it was on, where `concurrent.futures` only says
that its pool is broken; and all end when the work does, also by Ctrl-C.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Generic, TypeVar

from ltc_edge.errors import LtcEdgeError

Item = TypeVar("Item")
Result = TypeVar("Result")

PATIENCE_S = 5.0
"""How long a process may take to end when it is told to, before it is killed."""


class WorkerDiedError(LtcEdgeError):
    """A process of ours ended in the middle of its work."""


@dataclass(eq=False)
class _Worker(Generic[Item]):
    process: BaseProcess
    connection: Connection
    item: Item | None = None


def run_all(
    work: Callable[[Item], Result], items: Sequence[Item], processes: int
) -> Iterator[tuple[Item, Result]]:
    """Do ``work`` on every item; results as they come, in the items' order with one process.

    Args:
        work: picklable, as are items and results; it is sent to each process once.
        items: what to work on.
        processes: 1 works in this process.

    Raises:
        WorkerDiedError: a process was killed.
        LtcEdgeError: whatever ``work`` raised.
    """
    if processes == 1 or len(items) < 2:
        for item in items:
            yield item, work(item)
        return
    context = multiprocessing.get_context("spawn")  # torch's threads do not survive a fork
    workers: list[_Worker[Item]] = []
    waiting = list(items)[::-1]
    try:
        for _ in range(min(processes, len(items))):
            workers.append(_start(context, work))  # noqa: PERF401 — each must be known to be ended
        for worker in workers:
            _give(worker, waiting)
        while busy := [worker for worker in workers if worker.item is not None]:
            ready = wait([worker.connection for worker in busy])
            for worker in busy:
                if worker.connection in ready:
                    finished = worker.item
                    assert finished is not None
                    result: Result = _result(worker)
                    _give(worker, waiting)
                    yield finished, result
    finally:
        _end(workers)


def _start(context: multiprocessing.context.SpawnContext, work: Callable[[Item], Result]) -> _Worker[Item]:
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, work), daemon=True)
    process.start()
    theirs.close()  # so that the end of the process is the end of the pipe
    return _Worker(process, ours)


def _give(worker: _Worker[Item], waiting: list[Item]) -> None:
    worker.item = waiting.pop() if waiting else None
    if worker.item is not None:
        # A process that is dead is noticed when its result is waited for.
        with contextlib.suppress(BrokenPipeError):
            worker.connection.send(worker.item)


def _result(worker: _Worker[Item]) -> Result:  # type: ignore[type-var]
    try:
        failed, result = worker.connection.recv()
    except (EOFError, ConnectionResetError):
        worker.process.join(PATIENCE_S)
        code = worker.process.exitcode
        how = (
            f"was killed by {_signal_name(-code)}" if code is not None and code < 0 else f"ended with {code}"
        )
        raise WorkerDiedError(
            f"a worker process {how} while it was on {worker.item}; was memory short? What is done is kept: "
            "run the same command again, with fewer --jobs"
        ) from None
    if failed:
        raise result
    done: Result = result
    return done


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _end(workers: Sequence[_Worker[Item]]) -> None:
    for worker in workers:
        worker.connection.close()
        if worker.item is not None:  # in the middle of work that nobody waits for
            worker.process.terminate()
    for worker in workers:
        worker.process.join(PATIENCE_S)
        if worker.process.is_alive():
            worker.process.kill()
            worker.process.join()


def _serve(connection: Connection, work: Callable[[Item], Result]) -> None:
    """What a process does until its pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the whole group; our parent ends us
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        while True:
            item = connection.recv()
            try:
                answer: tuple[bool, object] = (False, work(item))
            except Exception as error:
                answer = (True, error)
            connection.send(answer)
