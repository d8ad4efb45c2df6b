"""What a thread can ask of the kernel to be on time: a priority, a processor, its memory, a wake-up."""

from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Callable
from typing import Any

_MCL_CURRENT, _MCL_FUTURE = 1, 2
_CLOCK_MONOTONIC = 1
_TIMER_ABSTIME = 1
_SECOND = 1_000_000_000

_NEEDS = {
    "fifo": ("SCHED_FIFO", "CAP_SYS_NICE", "- rtprio 99"),
    "mlock": ("mlockall", "CAP_IPC_LOCK", "- memlock unlimited"),
}
"""What is asked of the kernel, the right it takes, and the limit that stands in for it."""


class RealtimeRefused(Exception):
    """The kernel refuses it to this user; the message says what to do."""


def refusal_text(what: str, code: int) -> str:
    """What to do where ``what`` (``fifo``, ``pin`` or ``mlock``) failed with the error number ``code``."""
    why = os.strerror(code)
    if what == "pin":
        allowed = ", ".join(str(cpu) for cpu in sorted(os.sched_getaffinity(0)))
        return f"there is no such processor to run on ({why}); choose one of {allowed}"
    name, need, limit = _NEEDS[what]
    if code not in (errno.EPERM, errno.ENOMEM, errno.EAGAIN):
        return f"{name} is not to be had on this device ({why}); measure without it"
    if os.geteuid() == 0:
        return (
            f"{name} needs {need}, which root does not have here ({why}); "
            f"start the container with --cap-add {need.removeprefix('CAP_')}"
        )
    return (
        f"{name} needs {need} ({why}): run as root, or give the user '{limit}' in "
        "/etc/security/limits.conf and log in again"
    )


def set_fifo(priority: int) -> None:
    """Schedule the calling thread as SCHED_FIFO.

    Raises:
        RealtimeRefused: there is no such priority, or this user may not have it.
    """
    if not 1 <= priority <= 99:
        raise RealtimeRefused(f"SCHED_FIFO has the priorities 1 to 99, not {priority}")
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(priority))
    except OSError as error:
        raise RealtimeRefused(refusal_text("fifo", error.errno or 0)) from None


def pin(cpu: int) -> None:
    """Let the calling thread run on processor ``cpu`` alone.

    Raises:
        RealtimeRefused: there is no such processor, or it is not this process's to use.
    """
    try:
        os.sched_setaffinity(0, {cpu})
    except OSError as error:
        raise RealtimeRefused(refusal_text("pin", error.errno or 0)) from None
    except (ValueError, OverflowError):
        raise RealtimeRefused(refusal_text("pin", errno.EINVAL)) from None


def lock_memory() -> None:
    """Keep every page of this process in memory, those to come as well.

    Raises:
        RealtimeRefused: this user may not lock so much.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mlockall(_MCL_CURRENT | _MCL_FUTURE) != 0:
        raise RealtimeRefused(refusal_text("mlock", ctypes.get_errno()))


def clock_nanosleep_until(deadline_ns: int) -> None:
    """Sleep until CLOCK_MONOTONIC (``time.monotonic_ns``) is ``deadline_ns``; at once where that is past.

    Signals are handled meanwhile, and the sleep goes on.

    Raises:
        RealtimeRefused: the C library has no such sleep.
    """
    if deadline_ns < 0:
        return
    seconds, nanoseconds = divmod(deadline_ns, _SECOND)
    deadline = ctypes.byref(_Timespec(seconds, nanoseconds))
    code = errno.EINTR
    while code == errno.EINTR:
        code = _sleep(_CLOCK_MONOTONIC, _TIMER_ABSTIME, deadline, None)
    if code != 0:
        raise RealtimeRefused(f"clock_nanosleep failed ({os.strerror(code)}); measure without --rate")


class _Timespec64(ctypes.Structure):
    """Of a 32-bit C library with 64-bit time: the nanoseconds are a long, padded at the end."""

    _fields_ = (("tv_sec", ctypes.c_int64), ("tv_nsec", ctypes.c_int32), ("padding", ctypes.c_int32))


class _TimespecLong(ctypes.Structure):
    """Of a 64-bit C library, and of a 32-bit one with 32-bit time, good for 68 years after the start."""

    _fields_ = (("tv_sec", ctypes.c_long), ("tv_nsec", ctypes.c_long))


def _find_sleep() -> tuple[Callable[..., int], type[Any]]:
    """The C library's ``clock_nanosleep`` and its ``struct timespec``.

    glibc 2.34 and musl 1.2 have a second one with 64-bit time on 32-bit processors; there the plain name
    keeps the old structure, for old programs.
    """
    libc = ctypes.CDLL(None)
    kind: type[Any] = _TimespecLong
    try:
        if ctypes.sizeof(ctypes.c_long) == 4 and hasattr(libc, "__clock_nanosleep_time64"):
            function, kind = libc["__clock_nanosleep_time64"], _Timespec64
        else:
            function = libc["clock_nanosleep"]
    except AttributeError:
        return _no_sleep, kind
    function.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
    function.restype = ctypes.c_int
    return function, kind


def _no_sleep(*_: object) -> int:
    return errno.ENOSYS


_sleep, _Timespec = _find_sleep()
