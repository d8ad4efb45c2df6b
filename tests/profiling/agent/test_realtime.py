"""What the kernel grants a thread, and what is said where it does not."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ltc_edge.profiling.agent import realtime

REPOSITORY = Path(__file__).resolve().parents[3]

# Rights are given up after the imports: the interpreter's own folder may be closed to nobody.
WITHOUT_RIGHTS = """
import os, resource
from ltc_edge.profiling.agent import realtime
for limit in (resource.RLIMIT_RTPRIO, resource.RLIMIT_MEMLOCK):
    resource.setrlimit(limit, (0, 0))
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
"""


def run(code):
    """What a new process prints; what it asks of the kernel ends with it."""
    code = f"import os\nfrom ltc_edge.profiling.agent import realtime\n{code}"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def refused(call):
    """What is said to a process without rights."""
    return run(
        f"{WITHOUT_RIGHTS}\ntry:\n    {call}\nexcept realtime.RealtimeRefused as error:\n    print(error)"
    )


def test_a_fifo_thread_on_one_processor_with_its_memory_locked():
    code = (
        "try:\n    realtime.set_fifo(5)\n    realtime.lock_memory()\n"
        "except realtime.RealtimeRefused as error:\n    raise SystemExit(print(error))\n"
        "cpu = min(os.sched_getaffinity(0))\nrealtime.pin(cpu)\n"
        "locked = [line for line in open('/proc/self/status') if line.startswith('VmLck')][0].split()[1]\n"
        "print(os.sched_getscheduler(0) == os.SCHED_FIFO, os.sched_getparam(0).sched_priority,\n"
        "      os.sched_getaffinity(0) == {cpu}, int(locked) > 0)"
    )
    said = run(code)
    # Whether this user may is not for a test to choose; both answers have one form.
    refusal = re.fullmatch(r"(SCHED_FIFO|mlockall) needs CAP_\w+.*", said)
    assert said == "True 5 True True" or refusal, said


def test_fifo_refused():
    said = refused("realtime.set_fifo(50)")
    assert said.startswith("SCHED_FIFO needs CAP_SYS_NICE (")
    assert said.endswith("give the user '- rtprio 99' in /etc/security/limits.conf and log in again")
    assert "\n" not in said


def test_locked_memory_refused():
    said = refused("realtime.lock_memory()")
    assert said.startswith("mlockall needs CAP_IPC_LOCK (")
    assert "'- memlock unlimited'" in said


@pytest.mark.parametrize("cpu", [1023, 1_000_000, -1, 1 << 40])
def test_a_processor_that_is_not_there(cpu):
    before = os.sched_getaffinity(0)
    with pytest.raises(realtime.RealtimeRefused, match=rf"choose one of {min(before)}"):
        realtime.pin(cpu)
    assert os.sched_getaffinity(0) == before


@pytest.mark.parametrize("priority", [0, 100, -1])
def test_a_priority_that_is_none(priority):
    with pytest.raises(realtime.RealtimeRefused, match="priorities 1 to 99"):
        realtime.set_fifo(priority)


def test_root_without_the_right_is_told_of_containers(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert realtime.refusal_text("fifo", 1).endswith("start the container with --cap-add SYS_NICE")
    assert realtime.refusal_text("mlock", 38).endswith("measure without it")


def test_it_does_not_wake_before_the_deadline():
    deadline = time.monotonic_ns() + 3_000_000
    realtime.clock_nanosleep_until(deadline)
    assert time.monotonic_ns() >= deadline


@pytest.mark.parametrize("deadline_ns", [-(10**15), -1, 0, 1])
def test_a_past_deadline_is_over_at_once(deadline_ns):
    realtime.clock_nanosleep_until(deadline_ns)


def test_a_signal_does_not_end_the_sleep():
    came = []
    before = signal.signal(signal.SIGALRM, lambda *_: came.append(time.monotonic_ns()))
    try:
        deadline = time.monotonic_ns() + 60_000_000
        signal.setitimer(signal.ITIMER_REAL, 0.005)
        realtime.clock_nanosleep_until(deadline)
        ended = time.monotonic_ns()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert ended >= deadline
    assert len(came) == 1


def test_a_sleep_that_the_c_library_lacks(monkeypatch):
    monkeypatch.setattr(realtime, "_sleep", realtime._no_sleep)
    with pytest.raises(realtime.RealtimeRefused, match="clock_nanosleep failed"):
        realtime.clock_nanosleep_until(1)
