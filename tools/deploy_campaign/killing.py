"""A deployment in a process of its own, and what ends it."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from ltc_edge.deploy.linux.address import Address
from ltc_edge.deploy.linux.deployment import Ready, deploy
from ltc_edge.errors import LtcEdgeError

KINDS = ("client", "link", "device")
"""The command on this side; the ssh that it started; the agent on the other side."""
DONE = "done"


@dataclass(frozen=True)
class Blow:
    """When what is ended.

    Attributes:
        kind: which process; see `KINDS`.
        step: once this has begun.
        delay_s: so much later.
    """

    kind: str
    step: str
    delay_s: float


def timed(ready: Ready, address: Address) -> dict[str, float]:
    """Seconds of each step of a deployment that nobody disturbs."""
    began: list[tuple[str, float]] = []
    deploy(ready, address, lambda step: began.append((step, time.monotonic())))
    ends = [when for _, when in began[1:]] + [time.monotonic()]
    return {step: end - when for (step, when), end in zip(began, ends, strict=True)}


def struck(ready: Ready, address: Address, blow: Blow, device_python: Path) -> str:
    """Deploy, and end it by ``blow``; how it ended: killed, failed with an error line, or done before."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=_deploy, args=(ready, address, theirs))
    process.start()
    theirs.close()
    assert process.pid is not None
    said = ""
    try:
        while said not in (blow.step, DONE):
            said = ours.recv()
        if said == blow.step:
            time.sleep(blow.delay_s)
            _strike(blow.kind, process.pid, device_python)
    except EOFError:
        said = ""
    process.join()
    gone(device_python)
    if process.exitcode == -signal.SIGKILL:
        return "killed"
    return "failed" if process.exitcode else "done"


def gone(device_python: Path) -> None:
    """Wait until no agent is left on the device: it ends what it has begun first."""
    while agents(device_python):
        time.sleep(0.01)


def agents(device_python: Path) -> list[int]:
    """Processes of agents: those whose interpreter was started by our name for it."""
    return _started_as(lambda words: words[:1] == [str(device_python).encode()])


def _deploy(ready: Ready, address: Address, parent: Connection) -> None:
    try:
        deploy(ready, address, parent.send)
    except LtcEdgeError as error:
        parent.send(f"error: {error}")
        os._exit(1)
    parent.send(DONE)
    os._exit(0)


def _strike(kind: str, client: int, device_python: Path) -> None:
    if kind == "client":
        victims = [client]
    elif kind == "link":
        children = Path(f"/proc/{client}/task/{client}/children").read_text().split()
        victims = [int(child) for child in children]
    else:
        victims = agents(device_python)
    for victim in victims:
        with contextlib.suppress(ProcessLookupError):
            os.kill(victim, signal.SIGKILL)


def _started_as(fits: Callable[[Sequence[bytes]], bool]) -> list[int]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if fits((process / "cmdline").read_bytes().split(b"\0")):
                found.append(int(process.name))
    return found
