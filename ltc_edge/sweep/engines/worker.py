"""A worker process of the local engine: ``python -m ltc_edge.sweep.engines.worker SOCKET PARENT``.

It speaks lines of JSON over the socket whose descriptor it is given. First it is told what it works for:

    {"path": [...], "do": "module:function", "trials": "SWEEP/trials"}

and answers ``{"ready": true}`` once that is imported. Then each line is a `Work`, and each answer
``{"outcome": …}`` or, where its machine is at fault, ``{"stop": [name of the error, message]}``.
A worker ends with its driver, however that ends.
"""

from __future__ import annotations

import ctypes
import dataclasses
import json
import os
import signal
import socket
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ltc_edge.errors import LtcEdgeError
from ltc_edge.sweep.engines.carry_out import carry_out, load
from ltc_edge.sweep.work import Work

_PR_SET_PDEATHSIG = 1
_OUT_OF_MEMORY = 137
"""What a shell says of a process that the kernel killed, which is what else happens without memory."""


def main(descriptor: int, parent: int) -> None:
    """Work until the driver hangs up."""
    _end_with(parent)
    os.set_inheritable(descriptor, False)
    with socket.socket(fileno=descriptor) as link, link.makefile("rb") as lines:
        try:
            asked = json.loads(lines.readline() or b"null")
            if asked is not None:
                _serve(link, lines, asked)
        except (BrokenPipeError, ConnectionResetError):
            pass  # the driver is gone


def _serve(link: socket.socket, lines: Iterable[bytes], asked: dict[str, Any]) -> None:
    sys.path[:] = asked["path"]
    trials = Path(asked["trials"])
    try:
        do = load(asked["do"])
        _say(link, {"ready": True})
        for line in lines:
            outcome = carry_out(do, Work.from_json(json.loads(line)), trials)
            _say(link, {"outcome": dataclasses.asdict(outcome)})
    except LtcEdgeError as error:
        _say(link, {"stop": [type(error).__name__, str(error)]})
    except MemoryError:
        sys.exit(_OUT_OF_MEMORY)


def _say(link: socket.socket, document: dict[str, Any]) -> None:
    link.sendall(json.dumps(document, allow_nan=False).encode() + b"\n")


def _end_with(parent: int) -> None:
    """Die with the process ``parent``.

    At once, as on any signal: were it an exception, a task would take it for its own and fail the trial.
    """
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it died before that took hold
        sys.exit(0)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
