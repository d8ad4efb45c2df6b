"""Programs in C that time something of their own in turn with ours; see ``c/turns.h``."""

from __future__ import annotations

import os
import statistics
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from ltc_edge.errors import CheckFailedError, InputError
from ltc_edge.profiling.linux import BATCHES
from ltc_edge.runtimes.c_compiler import find_compiler

SOURCES = Path(__file__).parent / "c"
FLAGS = ("-std=c99", "-O3", "-Wall", "-Wextra", "-Wconversion", "-pedantic", "-Werror")
TIMEOUT_S = 120


def compiled(name: str, folder: Path, *sources: Path, flags: Sequence[str] = FLAGS) -> Path:
    """A program of ``c/NAME.c`` and further sources, in a folder.

    Raises:
        InputError: it does not compile.
    """
    program = folder / name
    includes = [f"-I{SOURCES}", f"-I{folder}"]
    command = [*find_compiler(), *flags, *includes, str(SOURCES / f"{name}.c"), *map(str, sources)]
    done = subprocess.run(
        [*command, "-o", str(program), "-ldl", "-lm"], capture_output=True, text=True, timeout=TIMEOUT_S
    )
    if done.returncode != 0:
        raise InputError(f"{name}.c does not compile: {done.stderr.strip()[:500]}")
    return program


class Turns:
    """A running program that includes ``turns.h``; a context manager, which ends it.

    Args:
        command: what runs.
        cpu: the processor that it stays on.
        long_steps: batches are of so many steps, in processor time, whatever is asked for; 0 for what is.

    Raises:
        CheckFailedError: it does not start; what it said is in the message.
    """

    def __init__(self, command: Sequence[str | Path], cpu: int, long_steps: int = 0) -> None:
        pipe = subprocess.PIPE
        words = [str(word) for word in command]
        self._long_steps = long_steps
        self._name = Path(words[0]).name
        self._process = subprocess.Popen(words, stdin=pipe, stdout=pipe, stderr=pipe, text=True)
        os.sched_setaffinity(self._process.pid, {cpu})
        self._read_until("ready")

    def __enter__(self) -> Turns:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def batch_us(self, steps: int, count: int = BATCHES) -> float:
        """Microseconds a step: the median of so many batches."""
        if self._long_steps:
            return float(self._ask(f"long {self._long_steps}")) / self._long_steps / 1e3
        even = max(steps // 2 * 2, 2)  # two states take turns
        taken = [float(self._ask(f"batch {even}")) for _ in range(count)]
        return statistics.median(taken) / even / 1e3

    def single_us(self, steps: int) -> float:
        """Microseconds of a step between two readings of the clock, without what these cost: the median."""
        step, clock = map(float, self._ask(f"singles {steps}").split())
        return (step - clock) / 1e3

    def _ask(self, line: str) -> str:
        stdin, _ = self._pipes()
        try:
            stdin.write(line + "\n")
            stdin.flush()
        except OSError:
            raise self._ended() from None
        return self._read_until("")

    def _read_until(self, wanted: str) -> str:
        """The first line that begins so; a library may print others before."""
        for line in self._pipes()[1]:
            if line.startswith(wanted):
                return line
        raise self._ended()

    def _pipes(self) -> tuple[IO[str], IO[str]]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        return self._process.stdin, self._process.stdout

    def _ended(self) -> CheckFailedError:
        said = self._process.communicate()[1].strip().splitlines()
        return CheckFailedError(
            f"{self._process.args!r:.60} ended: {said[-1] if said else 'no reason given'}"
        )
