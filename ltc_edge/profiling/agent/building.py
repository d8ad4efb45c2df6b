"""Compiling the harness of a generated controller on the device."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from .processes import ProcessError

TIMEOUT_S = 300
"""A Raspberry Pi Zero needs a minute for a large controller."""


def build(command: list[str], flags: list[str], sources: list[Path], output: Path) -> None:
    """Compile ``sources``, all in one folder, to the program ``output``.

    Raises:
        ProcessError: the compiler fails.
    """
    names = [source.name for source in sources if source.suffix == ".c"]
    called = [*command, *flags, "-o", str(output), *names, "-lrt"]
    try:
        done = subprocess.run(
            called,
            cwd=sources[0].parent,
            # A compiler that is killed leaves what it was at: in a folder that goes.
            env={**os.environ, "TMPDIR": str(sources[0].parent)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=TIMEOUT_S,
        )
    except subprocess.TimeoutExpired:
        raise ProcessError("failed", f"{command[0]} was not done within {TIMEOUT_S} s") from None
    except OSError as error:
        raise ProcessError("failed", f"{command[0]} could not be run ({error.strerror})") from None
    if done.returncode:
        lines = done.stdout.decode("utf-8", "replace").splitlines() or ["no message"]
        telling = [line for line in lines if "error" in line or "undefined reference" in line] or lines
        raise ProcessError("failed", f"{command[0]} failed: {' '.join(telling[0].split())[:200]}")
