"""What the sockets alone take of a period: the yardstick of `bench_loop`."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from ltc_edge.errors import InputError
from ltc_edge.runtimes.c_compiler import find_compiler

SOURCE = Path(__file__).with_name("sockets.c")
NAMES = ("p50", "p99", "p999", "max")


@contextmanager
def built(folder: Path) -> Iterator[Path]:
    """The program.

    Raises:
        InputError: it does not compile.
    """
    program = folder / "sockets"
    command = [*find_compiler(), "-O2", "-D_GNU_SOURCE", "-o", str(program), str(SOURCE)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    if done.returncode != 0:
        raise InputError(f"{SOURCE.name} does not compile: {done.stderr[:200]}")
    yield program


def measure(
    program: Path,
    period_s: float,
    seconds: float,
    scheduling: tuple[int | None, int | None],
    actions: int,
    beside: Callable[[int], AbstractContextManager[None]],
) -> dict[str, Any]:
    """Times from waking up to having sent, in µs.

    Args:
        program: what `built` made.
        period_s: of the deadlines.
        seconds: for which it runs.
        scheduling: SCHED_FIFO priority and processor; None for as it is.
        actions: of a datagram.
        beside: what runs meanwhile, given the port.

    Raises:
        InputError: the system refuses the scheduling.
    """
    fifo, cpu = scheduling
    words = [round(period_s * 1e9), round(seconds / period_s), fifo or 0, -1 if cpu is None else cpu, actions]
    with subprocess.Popen([program, *map(str, words)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        if not first:
            raise InputError("the system refuses --fifo or --cpu")
        with beside(int(first)):
            line = process.stdout.readline()
    if process.returncode != 0 or not line:
        raise InputError("the system refuses --fifo or --cpu")
    return dict(zip(NAMES, (round(int(word) * 1e-3, 1) for word in line.split()), strict=True))
