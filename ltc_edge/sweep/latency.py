"""The 99th percentile of a step's time on a device, by a real profile, one at a time on each device.

Other workers of a sweep on the same machine disturb it: a figure of ``local`` is to be believed only where
nothing else runs. docs/sweep-objectives.md says what to do.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from ltc_edge.errors import DeviceError, InputError, OutputError
from ltc_edge.profiling.places import find_place
from ltc_edge.profiling.profile import ProfileInterruptedError, profile
from ltc_edge.profiling.request import Request
from ltc_edge.profiling.settings import Settings
from ltc_edge.profiling.subject import BundleSubject
from ltc_edge.sweep.exported import Exported

USUAL = Settings()
"""As `ltc-edge profile` times."""


def p99_us(exported: Exported, device: str, settings: Settings = USUAL) -> float:
    """Microseconds that 99 of 100 steps take at most.

    Args:
        exported: what is timed.
        device: ``local`` or ``ssh://…``.
        settings: how long, and how.

    Raises:
        DeviceError: the device does not answer, or cannot run the format.
        InputError: there is no such device.
    """
    name = exported.artifact.form.name
    subject = BundleSubject(Path(name), "", exported.controller, {name: exported.artifact}, {})
    request = Request(device, find_place(device), settings)
    if request.kind != "linux":
        raise InputError(f"--device {device}: steps are timed on local and ssh:// devices")
    try:
        with device_lock(device):
            document = profile(subject, request, lambda _, __: None)
    except ProfileInterruptedError as interrupted:
        raise interrupted.cause from None
    row = document["formats"][name]
    if row["status"] != "ok":
        raise DeviceError(f"{device}: {name} was not timed ({row['reason']}): {row['detail']}")
    return float(row["latency_us"]["p99"])


@contextlib.contextmanager
def device_lock(device: str) -> Iterator[None]:
    """Keep other processes of this user on this machine from timing on ``device`` meanwhile; waits for it.

    The lock goes with its process, however that ends.

    Raises:
        OutputError: there is no place for the lock.
    """
    key = hashlib.sha256(device.encode()).hexdigest()[:16]
    path = Path(tempfile.gettempdir()) / f"ltc-edge-device-{os.getuid()}-{key}.lock"
    try:
        # Not through a link that somebody else may have put there.
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise OutputError(f"{path}: cannot be opened ({error.strerror or error})") from None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
