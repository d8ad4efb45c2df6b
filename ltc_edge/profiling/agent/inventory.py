"""What a device has that can run a controller."""

from __future__ import annotations

import importlib.util
import os
import platform
import shlex
import shutil
import struct
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

RUNTIMES = {
    "onnxruntime": "onnxruntime",
    "ai_edge_litert": "ai-edge-litert",
    "tflite_runtime": "tflite-runtime",
}
"""Packages by module."""
COMPILERS = ("cc", "gcc", "clang")


def inventory(folder: Path, paths: list[str]) -> dict[str, Any]:
    """Machine, Python, packages, compiler and room.

    Args:
        folder: where files go.
        paths: where packages are looked for besides.
    """
    sys.path[1:1] = [path for path in paths if path not in sys.path]
    importlib.invalidate_caches()
    packages = {
        package: _version(module, package) for module, package in {**RUNTIMES, "numpy": "numpy"}.items()
    }
    return {
        "machine": platform.machine(),
        "pointer_bits": 8 * struct.calcsize("P"),
        "system": platform.system(),
        "libc": " ".join(platform.libc_ver()).strip(),
        "python": platform.python_version(),
        "packages": packages,
        "compiler": compiler(),
        "folder": str(folder),
        "free_bytes": shutil.disk_usage(folder).free,
        "cpus": sorted(os.sched_getaffinity(0)),
    }


def _version(module: str, package: str) -> str | None:
    """Of a package that is here; it is not imported, which may take seconds."""
    if importlib.util.find_spec(module) is None:
        return None
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "of unknown version"


def compiler() -> dict[str, Any] | None:
    """Command and version of the C compiler: what CC says, or the first that is here."""
    said = os.environ.get("CC")
    for command in (said,) if said else COMPILERS:
        try:
            words = shlex.split(command)
            if not words or not shutil.which(words[0]):
                continue
            done = subprocess.run(
                [*words, "--version"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=20
            )
        except (OSError, ValueError, subprocess.TimeoutExpired):  # ValueError: an open quote in CC
            continue
        lines = done.stdout.decode("utf-8", "replace").splitlines()
        if done.returncode == 0 and lines:
            return {"command": words, "version": lines[0][:100]}
    return None
