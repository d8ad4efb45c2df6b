"""Timing steps that Python calls: single ones, batches, and a step every period."""

from __future__ import annotations

import gc
import resource
import time
import zlib
from array import array
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from .realtime import clock_nanosleep_until

MOST_NS = 0xFFFF_FFFF
"""What a sample can hold: 4.29 s."""
SPIN = 1000
"""Terms of the first yardstick."""
_TEXT = " ".join(str(number**3) for number in range(600)).encode()

Feed = Callable[[int], None]
"""Puts the inputs of a step in their places."""
Step = Callable[[], Any]


def nothing() -> None:
    """A step that does nothing, whose cost is that of being called."""


@contextmanager
def quiet() -> Iterator[None]:
    """No garbage is collected meanwhile."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def singles(feed: Feed, step: Step, steps: int, limit_ns: int) -> tuple[bytes, dict[str, int]]:
    """Nanoseconds of each step, as 32-bit numbers; at most ``steps``, for at most ``limit_ns``."""
    samples = array("I", bytes(4 * steps))
    clock, done = time.perf_counter_ns, 0
    with quiet():
        before, started = resource.getrusage(resource.RUSAGE_SELF), clock()
        while done < steps:
            feed(done)
            start = clock()
            step()
            end = clock()
            samples[done] = min(max(end - start, 0), MOST_NS)
            done += 1
            if end - started > limit_ns:
                break
        usage = _usage(before, started)
    return samples[:done].tobytes(), usage


def batches(step: Step, count: int, steps: int) -> bytes:
    """Of each batch the nanoseconds of both yardsticks, of so many steps, and of as many that do nothing."""
    found = array("q")
    with quiet():
        for _ in range(count):
            found.append(loop_yardstick())
            found.append(text_yardstick())
            found.append(_loop(step, steps))
            found.append(_loop(nothing, steps))
    return found.tobytes()


def _loop(step: Step, steps: int) -> int:
    start = time.perf_counter_ns()
    for _ in range(steps):
        step()
    return time.perf_counter_ns() - start


def loop_yardstick() -> int:
    """Nanoseconds of a fixed piece of work in Python: how fast the machine is just now."""
    start = time.perf_counter_ns()
    total = 1.0
    for term in range(SPIN):
        total = 1.0 + total / (2.0 + term)
    return time.perf_counter_ns() - start


def text_yardstick() -> int:
    """The same of compiled code that branches and looks things up, as a runtime does."""
    start = time.perf_counter_ns()
    zlib.compress(_TEXT)
    return time.perf_counter_ns() - start


def paced(feed: Feed, step: Step, period_ns: int, periods: int) -> tuple[bytes, dict[str, int]]:
    """A step at every multiple of a period, which the steps after a late one catch up with.

    Returns:
        how late each began, then how long each took, in nanoseconds, as 32-bit numbers; and what the process
        did meanwhile.
    """
    late, took = array("I", bytes(4 * periods)), array("I", bytes(4 * periods))
    clock = time.monotonic_ns  # what the sleep counts by
    with quiet():
        before, started = resource.getrusage(resource.RUSAGE_SELF), clock()
        release = started + period_ns
        for index in range(periods):
            feed(index)
            clock_nanosleep_until(release)
            start = clock()
            step()
            end = clock()
            late[index] = min(max(start - release, 0), MOST_NS)
            took[index] = min(max(end - start, 0), MOST_NS)
            release += period_ns
        usage = _usage(before, started, clock)
    return late.tobytes() + took.tobytes(), usage


def _usage(before: Any, started: int, clock: Callable[[], int] = time.perf_counter_ns) -> dict[str, int]:
    after = resource.getrusage(resource.RUSAGE_SELF)
    busy = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {
        "interruptions": after.ru_nivcsw - before.ru_nivcsw,
        "cpu_ns": round(busy * 1e9),
        "wall_ns": clock() - started,
    }
