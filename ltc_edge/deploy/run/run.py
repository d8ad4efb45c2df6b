"""One run: the loop as a child, its bridge, its status page, and its end."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from ltc_edge.controller import Controller
from ltc_edge.deploy.run.bridging import Bridging, open_bridge
from ltc_edge.deploy.run.page import Snapshot
from ltc_edge.deploy.run.process import LoopProcess
from ltc_edge.deploy.run.request import RunRequest
from ltc_edge.deploy.run.status_page import StatusPage

SECOND = 1.0

OnState = Callable[[Snapshot], None]


def run_loop(
    program: AbstractContextManager[Path],
    controller: Controller,
    request: RunRequest,
    *,
    status_at: tuple[str, int] | None,
    on_start: Callable[[LoopProcess, str, int | None], None],
    on_state: OnState,
    on_complaint: Callable[[str], None],
) -> Snapshot:
    """Run the loop until it ends, or until SIGTERM, SIGHUP or Ctrl-C; then it has come to rest.

    Args:
        program: builds the loop program, once its I/O is known to be good.
        controller: that it was built with.
        request: how it runs.
        status_at: where its status page listens; None for none.
        on_start: called once it runs, with where readings come from and the port of the status page.
        on_state: called once a second.
        on_complaint: called at the end with what did not end the loop, such as a log that a full disk ended.

    SIGTERM and SIGHUP before the loop began end this process as they end any: nothing acted yet.

    Raises:
        InputError: the I/O cannot be opened, or the system refuses what the loop needs.
        CheckFailedError: the controller's selftest failed, or it or the actuators were lost.
        KeyboardInterrupt: Ctrl-C; the loop has ended at rest, and ``on_state`` was told.
    """
    observations = [signal.name for signal in controller.observations]
    actions = [signal.name for signal in controller.actions]
    shape = len(observations), len(actions)
    with ExitStack() as opened, _asked_to_end() as asked:
        bridge = opened.enter_context(open_bridge(request.io, controller, bind=request.bind))
        io, inherited = (bridge.url, bridge.handles) if isinstance(bridge, Bridging) else (bridge, ())
        built = opened.enter_context(program)
        loop = opened.enter_context(LoopProcess(built, io, request.arguments(), shape, inherited))
        where = bridge.where if isinstance(bridge, Bridging) else loop.snapshot().where

        def snapshot() -> Snapshot:
            return replace(loop.snapshot(), where=where)

        page = None
        if status_at is not None:
            page = StatusPage(status_at, snapshot, controller.name, observations, actions)
            opened.callback(page.close)
        on_start(loop, where, None if page is None else page.port)
        interrupted = _watch(loop, asked, lambda: on_state(snapshot()))
        loop.end()
        last = snapshot()
        if (error := loop.failure()) is not None:
            on_state(last)
            raise error
        for complaint in (*loop.warned(), *loop.said()):
            on_complaint(complaint)
        if interrupted:
            on_state(last)
            raise KeyboardInterrupt
        return last


def _watch(loop: LoopProcess, asked: threading.Event, on_second: Callable[[], None]) -> bool:
    """Tell the state once a second until the loop ends or somebody asks for it; whether by Ctrl-C."""
    try:
        while not asked.is_set() and not loop.wait(SECOND):
            on_second()
    except KeyboardInterrupt:
        return True
    except _Ended:
        return False
    return False


class _Ended(BaseException):
    """SIGTERM or SIGHUP came; which of them is its argument."""


@contextmanager
def _asked_to_end() -> Iterator[threading.Event]:
    """Set by SIGTERM and SIGHUP, which otherwise would end this process before the loop is at rest."""
    asked = threading.Event()
    too_early = None

    def ask(number: int, _: object) -> None:
        if not asked.is_set():
            asked.set()
            raise _Ended(number)

    # Where SIGHUP is ignored, as under nohup, it stays so.
    numbers = [n for n in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(n) is signal.SIG_DFL]
    before = {number: signal.signal(number, ask) for number in numbers}
    try:
        yield asked
    except _Ended as ended:
        (too_early,) = ended.args
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if too_early is not None:
            signal.raise_signal(too_early)
